import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ConfigError, readConfig, type Config } from "../../../src/config.js";

const SECRETS = {
  ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
  SESSION_SECRET: randomBytes(32).toString("base64url"),
};
const PUBLIC = "https://enroller.example.com";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "sequence-enroller-config-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

type Env = Record<string, string>;

const app = (more: Env): Env => ({
  HUBSPOT_CLIENT_ID: "client",
  HUBSPOT_CLIENT_SECRET: "secret",
  HUBSPOT_APP_ID: "42",
  DATA_DIR: dataDir,
  ...more,
});
/** A server reached from the internet, complete. */
const server = (more: Env = {}): Env => app({ PUBLIC_URL: PUBLIC, ...SECRETS, ...more });

function read(env: Env): Config | string[] {
  try {
    return readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split("\n").filter((line) => line.startsWith("  "));
  }
}
/** The variables that are complained of. */
function wrong(env: Env): string[] {
  const result = read(env);
  return Array.isArray(result) ? result.map((line) => line.trim().split(":")[0] ?? "") : [];
}

describe("the mode", () => {
  test.each<[what: string, env: Env, isProduction: boolean]>([
    ["nothing said, on this machine alone", {}, false],
    ["nothing said, listening for others", { HOST: "0.0.0.0", ...SECRETS }, true],
    ["development by name", { NODE_ENV: "development" }, false],
    ["development by name behind a tunnel", { NODE_ENV: "development", PUBLIC_URL: PUBLIC }, false],
    ["a public address alone", { PUBLIC_URL: PUBLIC, ...SECRETS }, true],
    ["prod", { NODE_ENV: "prod", PUBLIC_URL: PUBLIC, ...SECRETS }, true],
    ["prod without an address", { NODE_ENV: "prod", ...SECRETS }, true],
    ["Production", { NODE_ENV: "Production", PUBLIC_URL: PUBLIC, ...SECRETS }, true],
    ["staging", { NODE_ENV: "staging", PUBLIC_URL: PUBLIC, ...SECRETS }, true],
    ["dev, which is no name of a mode", { NODE_ENV: "dev", PUBLIC_URL: PUBLIC, ...SECRETS }, true],
    [
      "production on this machine",
      { NODE_ENV: "production", PUBLIC_URL: "http://localhost", ...SECRETS },
      true,
    ],
    ["an address on this machine", { PUBLIC_URL: "http://127.0.0.1:3000" }, false],
    ["an address on this machine by IPv6", { PUBLIC_URL: "http://[::1]:3000" }, false],
    [
      "a host that only looks like this machine",
      { PUBLIC_URL: "https://localhost.example.com", ...SECRETS },
      true,
    ],
  ])("%s", (_what, env, isProduction) => {
    expect(read(app(env))).toMatchObject({ isProduction });
  });

  test("is reported if it is not what its name promises", () => {
    const warnings = (env: Env) => readConfig(app(env)).warnings.join("\n");
    expect(warnings({ ...SECRETS, NODE_ENV: "prod", PUBLIC_URL: PUBLIC })).toContain('NODE_ENV is "prod"');
    expect(warnings({})).toMatch(/development setup[^]*key made under DATA_DIR/);
    expect(warnings({ ...SECRETS, NODE_ENV: "production" })).toContain("HubSpot cannot reach the app");
    expect(warnings({ ...SECRETS, NODE_ENV: "production", PUBLIC_URL: PUBLIC })).toBe("");
  });
});

describe("a server that is not of this machine alone", () => {
  test("takes what is safe, in whatever spelling", () => {
    for (const SESSION_SECRET of ["hex", "base64", "base64url"].map((as) =>
      randomBytes(32).toString(as as "hex"),
    ))
      expect(wrong(server({ SESSION_SECRET }))).toEqual([]);
    expect(wrong(server({ SESSION_SECRET: "four words of mine, and a number: 4,711 apples" }))).toEqual([]);
  });

  test.each<[what: string, env: Env, variables: string[]]>([
    ["http where HubSpot calls", { PUBLIC_URL: "http://enroller.example.com" }, ["PUBLIC_URL"]],
    ["http to HubSpot", { HUBSPOT_API_URL: "http://10.0.0.9" }, ["HUBSPOT_API_URL"]],
    ["http to HubSpot's pages", { HUBSPOT_APP_URL: "HTTP://app.hubspot.com" }, ["HUBSPOT_APP_URL"]],
    ["a session secret of one character", { SESSION_SECRET: "x" }, ["SESSION_SECRET"]],
    ["one of sixteen random bytes", { SESSION_SECRET: randomBytes(16).toString("hex") }, ["SESSION_SECRET"]],
    ["one of 31 random bytes", { SESSION_SECRET: randomBytes(31).toString("base64") }, ["SESSION_SECRET"]],
    ["one character again and again", { SESSION_SECRET: "s".repeat(64) }, ["SESSION_SECRET"]],
    ["a word again and again", { SESSION_SECRET: "correct horse, ".repeat(8) }, ["SESSION_SECRET"]],
    ["the alphabet", { SESSION_SECRET: "abcdefghijklmnopqrstuvwxyz0123456789,.-;:" }, ["SESSION_SECRET"]],
    ...[
      "please-change-me-before-production-0123456789",
      "ThisIsMySuperSecretForSigning2026!!-xyz",
      "R3plac3-PASSWORD-4-our-7-apples-0f-winter",
    ].map((SESSION_SECRET): [string, Env, string[]] => [
      "an example's words",
      { SESSION_SECRET },
      ["SESSION_SECRET"],
    ]),
    ["mostly one character", { SESSION_SECRET: `${"a".repeat(60)}0123456789` }, ["SESSION_SECRET"]],
    ["a key of zeros", { ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}` }, ["ENCRYPTION_KEYS"]],
    [
      "a key that counts, behind a good one",
      {
        ENCRYPTION_KEYS: `${SECRETS.ENCRYPTION_KEYS},k2:${Buffer.from([...Array(32).keys()]).toString("base64")}`,
      },
      ["ENCRYPTION_KEYS"],
    ],
    [
      "no secrets beside a database",
      { ENCRYPTION_KEYS: "", DATABASE_URL: "postgres://db" },
      ["ENCRYPTION_KEYS"],
    ],
    ["no secrets", { ENCRYPTION_KEYS: "", SESSION_SECRET: "" }, ["ENCRYPTION_KEYS", "SESSION_SECRET"]],
  ])("%s", (_what, env, variables) => {
    for (const NODE_ENV of ["production", "prod", ""])
      expect([NODE_ENV, ...wrong(server({ NODE_ENV, ...env }))]).toEqual([NODE_ENV, ...variables]);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("hears of everything at once, each with what to do, and of no secret", () => {
    const problems = read(
      server({
        PUBLIC_URL: "http://x.example",
        HUBSPOT_API_URL: "http://10.0.0.9",
        SESSION_SECRET: "hunter2",
        ENCRYPTION_KEYS: "",
        PRIVATE_DESTINATIONS: "intranet",
        PORT: "none",
      }),
    ) as string[];
    for (const words of [
      "PUBLIC_URL: must begin with https://",
      "HUBSPOT_API_URL: must begin with https://",
      "SESSION_SECRET: must hold at least 32 random bytes",
      "ENCRYPTION_KEYS: is required in production. Make one with: node -p",
      "PRIVATE_DESTINATIONS: must be host:port",
      "PORT: ",
    ])
      expect(problems.join("\n")).toContain(words);
    expect(problems).toHaveLength(6);
    expect(problems.join()).not.toContain("hunter2");
  });
});

describe("development", () => {
  test("behind a tunnel has secrets that nobody guesses", () => {
    const tunnel = { NODE_ENV: "development", PUBLIC_URL: "https://me.tunnel.example" };
    expect(wrong(app({ ...tunnel, SESSION_SECRET: "a-phrase-of-mine" }))).toEqual(["SESSION_SECRET"]);
    expect(wrong(app({ SESSION_SECRET: "a-phrase-of-mine" }))).toEqual([]);
    expect(wrong(app({ SESSION_SECRET: "x" }))).toEqual(["SESSION_SECRET"]);
  });

  test("may have a stand-in of HubSpot on this machine, as production may, and none elsewhere in clear", () => {
    for (const more of [{}, { NODE_ENV: "development", PUBLIC_URL: PUBLIC }]) {
      expect(wrong(app({ ...more, HUBSPOT_API_URL: "http://127.0.0.1:4000" }))).toEqual([]);
      expect(wrong(app({ ...more, HUBSPOT_API_URL: "http://simulator:4000" }))).toEqual(["HUBSPOT_API_URL"]);
    }
    const standIn = readConfig(server({ NODE_ENV: "production", HUBSPOT_API_URL: "http://localhost:4000" }));
    expect(standIn.warnings.join()).toContain("stand-in of HubSpot in clear (HUBSPOT_API_URL)");
  });

  test("makes no key for a database that somebody else runs", () => {
    const problems = read(app({ NODE_ENV: "development", DATABASE_URL: "postgres://db" })) as string[];
    expect(problems.join("\n")).toMatch(
      /ENCRYPTION_KEYS: is required beside a DATABASE_URL.*\n.*SESSION_SECRET/,
    );
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("names a key that it makes by the key, and still opens what older versions sealed as “dev”", () => {
    const { encryptionKeys } = readConfig(app({}));
    const made = readFileSync(path.join(dataDir, "encryption-key.secret"), "utf8").trim();
    const hash = createHash("sha256").update(made).digest("hex").slice(0, 12);
    expect(encryptionKeys.map(({ id }) => id)).toEqual([`dev-${hash}`, "dev"]);
    expect(encryptionKeys.map(({ key }) => key.toString("base64"))).toEqual([made, made]);
  });
});

describe("PRIVATE_DESTINATIONS", () => {
  test("is a list of hosts and ports, as URLs spell them", () => {
    const { privateDestinations } = readConfig(
      app({ PRIVATE_DESTINATIONS: "Alerts.Internal:8080, 10.0.0.7:443,[fd00::1]:80" }),
    );
    expect([...privateDestinations]).toEqual(["alerts.internal:8080", "10.0.0.7:443", "[fd00::1]:80"]);
    expect(readConfig(app({})).privateDestinations.size).toBe(0);
  });

  test.each([
    ...[
      "*",
      "*:443",
      "intranet",
      "http://intranet:80",
      "intranet:80/path",
      "a:0",
      "a:65536",
      "a:80,",
      ",a:80",
    ],
    ...[
      "10.0.0.0/8:443",
      "0x7f.1:80",
      "2130706433:80",
      "::1:80",
      "[::0001]:80",
      "user@a:80",
      "a b:80",
      "a:80:90",
    ],
  ])("may not be %s", (given) => {
    expect(wrong(app({ PRIVATE_DESTINATIONS: given }))).toEqual(["PRIVATE_DESTINATIONS"]);
  });
});
