import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ConfigError, readConfig, readDatabaseConfig } from "../../../src/config.js";

const KEY = randomBytes(32).toString("base64");
const OTHER_KEY = randomBytes(32).toString("base64");
const SESSION_SECRET = randomBytes(32).toString("base64");

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "sequence-enroller-config-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function required(more: Record<string, string> = {}): Record<string, string> {
  return {
    HUBSPOT_CLIENT_ID: "client",
    HUBSPOT_CLIENT_SECRET: "secret",
    HUBSPOT_APP_ID: "42",
    DATA_DIR: dataDir,
    NODE_ENV: "development",
    ...more,
  };
}

function production(more: Record<string, string> = {}): Record<string, string> {
  return required({
    NODE_ENV: "production",
    ENCRYPTION_KEYS: `k1:${KEY}`,
    SESSION_SECRET,
    ...more,
  });
}

function problemOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error("the configuration was accepted");
}

describe("readConfig", () => {
  test("takes a mail server and the address it sends as together, or neither", () => {
    const smtp = { SMTP_URL: "smtp://operator:secret@mail.example.com:587" };
    const from = { MAIL_FROM: "Sequence Enroller <enroller@example.com>" };
    expect(readConfig(required()).mail).toBeUndefined();
    expect(readConfig(required({ ...smtp, ...from })).mail).toEqual({
      smtpUrl: smtp.SMTP_URL,
      from: from.MAIL_FROM,
    });
    for (const half of [smtp, from]) expect(problemOf(required(half))).toContain("set both to mail alerts");
    expect(problemOf(required({ ...from, SMTP_URL: "https://mail.example.com" }))).toContain(
      "SMTP_URL: must look like smtp://",
    );
    expect(problemOf(required({ ...smtp, MAIL_FROM: "nobody\r\nBcc: x@y.example" }))).toContain(
      "MAIL_FROM: must be an address",
    );
    expect(problemOf(required({ ...from, SMTP_URL: "smpt://operator:secret@x" }))).not.toContain("secret");
  });

  test.each([
    "ignoreTLS=true",
    "requireTLS=false",
    "opportunisticTLS=true",
    "ignore%54LS=true",
    "secure=false",
    "tls.minVersion=TLSv1",
    "tls.ciphers=NULL",
    "service=Mailhog",
    "host=elsewhere.example",
    "auth.pass=secret",
    "proxy=http://elsewhere.example",
    "debug=true&logger=true",
    "tls.rejectUnauthorized=true&ignoreTLS=1",
  ])("refuses a mail server whose URL says %s, which could undo its encryption", (query) => {
    const mail = {
      MAIL_FROM: "ops@example.com",
      SMTP_URL: `smtp://user:secret@mail.example.com:587/?${query}`,
    };
    expect(problemOf(required(mail))).toContain("SMTP_URL: may end in the options name, authMethod");
    expect(problemOf(required(mail))).not.toContain("secret");
  });

  test.each([
    ["tls.rejectUnauthorized=false", true],
    ["tls%2ErejectUnauthorized=false", true],
    ["tls.rejectUnauthorized=true&tls.rejectUnauthorized=0", true],
    ["tls.rejectUnauthorized=true&name=app.example.com", false],
    ["tls.servername=mail.example.com&authMethod=LOGIN", false],
  ])("warns at start of a mail server that is not verified: ?%s", (query, isWarned) => {
    const mail = { MAIL_FROM: "ops@example.com", SMTP_URL: `smtps://user:secret@mail.example.com/?${query}` };
    const warning = "SMTP_URL turns off the check of the mail server's certificate";
    expect(readConfig(required(mail)).warnings.includes(warning)).toBe(isWarned);
  });

  test("needs nothing but the HubSpot app in development", () => {
    expect(readConfig(required())).toMatchObject({
      isProduction: false,
      role: "all",
      port: 3000,
      host: "127.0.0.1",
      publicUrl: "http://localhost:3000",
      databaseUrl: undefined,
      databaseConnectTimeoutMs: undefined,
      dataDir,
      hubspot: {
        clientId: "client",
        clientSecrets: ["secret"],
        appId: "42",
        apiUrl: "https://api.hubapi.com",
        appUrl: "https://app.hubspot.com",
        rateLimit: 110,
      },
      logLevel: "info",
      metricsToken: undefined,
      executionDeadlineHours: 144,
    });
  });

  test("treats an empty variable as unset", () => {
    expect(readConfig(required({ PORT: "", DATABASE_URL: "", PUBLIC_URL: "" })).port).toBe(3000);
  });

  test("treats a variable of spaces as unset, and a line break as no part of a value", () => {
    const blank = { PORT: " ", METRICS_TOKEN: "  ", DATABASE_URL: "\t", HOST: "\r" };
    expect(readConfig(required(blank))).toMatchObject({
      port: 3000,
      metricsToken: undefined,
      host: "127.0.0.1",
    });
    expect(problemOf(required({ HUBSPOT_CLIENT_ID: "  " }))).toContain("HUBSPOT_CLIENT_ID: is required");
    const broken = { PUBLIC_URL: "https://app.example.com\r\n", SESSION_SECRET: `${SESSION_SECRET}\n` };
    expect(readConfig(production(broken))).toMatchObject({
      publicUrl: "https://app.example.com",
      sessionSecrets: [SESSION_SECRET],
    });
  });

  test("accepts two session secrets while one replaces the other, and a phrase with commas as one", () => {
    const [first, second] = [randomBytes(32).toString("base64"), randomBytes(32).toString("hex")];
    const secretsOf = (SESSION_SECRET: string) => readConfig(production({ SESSION_SECRET })).sessionSecrets;
    expect(secretsOf(`${first}, ${second}`)).toEqual([first, second]);
    const phrase = "four words of mine, and a number: 4,711 apples";
    expect(secretsOf(phrase)).toEqual([phrase]);
    expect(problemOf(production({ SESSION_SECRET: "short,shorter" }))).toContain("SESSION_SECRET");
  });

  test.each([
    ["PORT", "0x1F90", "must be a whole number from 0 to 65535"],
    ["PORT", "1e3", "must be a whole number from 0 to 65535"],
    ["PORT", "http", "must be a whole number from 0 to 65535"],
    ["HUBSPOT_RATE_LIMIT", "0", "must be a whole number from 1 to 1000"],
    ["HUBSPOT_RATE_LIMIT", "11.5", "must be a whole number from 1 to 1000"],
    ["API_RATE_LIMIT", "0", "must be a whole number from 1 to 100000"],
    ["EXECUTION_DEADLINE_HOURS", "Infinity", "must be a number of hours, such as 144"],
    ["EXECUTION_DEADLINE_HOURS", "0", "must be more than 0"],
    ["EXECUTION_DEADLINE_HOURS", "168", "must leave an hour before HubSpot's own expiry (168 h)"],
  ])("says of %s=%s that it %s", (name, value, problem) => {
    expect(problemOf(required({ [name]: value }))).toContain(`  ${name}: ${problem}`);
  });

  test("listens on every interface in production, unless told where", () => {
    expect(readConfig(production()).host).toBe("0.0.0.0");
    expect(readConfig(production({ HOST: "10.0.0.5" })).host).toBe("10.0.0.5");
  });

  test("names every problem at once", () => {
    const message = problemOf({
      NODE_ENV: "production",
      PORT: "70000",
      ROLE: "boss",
      PUBLIC_URL: "app.example.com",
      DATABASE_URL: "mysql://x",
      ENCRYPTION_KEYS: "k1:short",
      LOG_LEVEL: "loud",
    });
    for (const name of [
      "PORT",
      "ROLE",
      "PUBLIC_URL",
      "DATABASE_URL",
      "ENCRYPTION_KEYS",
      "LOG_LEVEL",
      "HUBSPOT_CLIENT_ID: is required",
      "HUBSPOT_CLIENT_SECRET: is required",
      "SESSION_SECRET: is required",
    ]) {
      expect(message).toContain(`  ${name}`);
    }
  });

  test("names half a mail server and a folder it may not write to among the other problems", () => {
    const file = path.join(dataDir, "file");
    writeFileSync(file, "");
    const message = problemOf({ DATA_DIR: file, PORT: "70000", SMTP_URL: "smtp://mail.example.com" });
    for (const problem of ["PORT:", "HUBSPOT_CLIENT_ID: is required", "SMTP_URL and MAIL_FROM:", "DATA_DIR:"])
      expect(message).toContain(`  ${problem}`);
    // The secrets are missing because of the folder: one problem, told once.
    expect(message).not.toContain("SESSION_SECRET");
  });

  test("never repeats a wrong secret", () => {
    const message = problemOf(
      production({
        ENCRYPTION_KEYS: "k1:bm90LWxvbmctZW5vdWdo",
        SESSION_SECRET: "tooshort",
        DATABASE_URL: "my:pw@db",
      }),
    );
    expect(message).not.toMatch(/bm90|tooshort|my:pw/);
  });

  test("never repeats a key that stands where its id should be", () => {
    const keyOfZeros = Buffer.alloc(32).toString("base64");
    const message = problemOf(production({ ENCRYPTION_KEYS: `${KEY}:${keyOfZeros}` }));
    expect(message).toContain("ENCRYPTION_KEYS: must be id:base64(32 bytes)");
    expect(message).not.toContain(KEY.slice(0, 20));
  });

  test("demands its secrets in production and writes nothing", () => {
    const message = problemOf(required({ NODE_ENV: "production" }));
    expect(message).toContain("ENCRYPTION_KEYS: is required");
    expect(message).toContain("SESSION_SECRET: is required");
    expect(readdirSync(dataDir)).toEqual([]);
  });
});

describe("PUBLIC_URL", () => {
  test("loses its trailing slash", () => {
    expect(readConfig(required({ PUBLIC_URL: "https://app.example.com/" })).publicUrl).toBe(
      "https://app.example.com",
    );
  });

  test.each([
    ["HTTPS://App.Example.COM", "https://app.example.com"],
    ["https://app.example.com:443/", "https://app.example.com"],
    ["http://LOCALHOST:80", "http://localhost"],
    ["https://App.example.com:8443//", "https://app.example.com:8443"],
  ])("is read as the origin that signatures are over: %s", (given, origin) => {
    expect(readConfig(required({ PUBLIC_URL: given })).publicUrl).toBe(origin);
  });

  test.each([
    "https://example.com/app",
    "https://example.com/?",
    "https://example.com?a=1",
    "https://example.com#top",
    "https://user@example.com",
    "https://example.com\\app",
  ])("may not have a path or the like, since signatures are checked against it: %s", (given) => {
    expect(problemOf(required({ PUBLIC_URL: given }))).toContain("without a path");
  });
});

describe("HUBSPOT_CLIENT_SECRET", () => {
  test("may be followed by the older secret while it is rotated", () => {
    expect(readConfig(required({ HUBSPOT_CLIENT_SECRET: "new, old" })).hubspot.clientSecrets).toEqual([
      "new",
      "old",
    ]);
  });

  test.each(["a,b,c", ","])("may not be %s", (secret) => {
    expect(problemOf(required({ HUBSPOT_CLIENT_SECRET: secret }))).toContain("HUBSPOT_CLIENT_SECRET");
  });
});

describe("ENCRYPTION_KEYS", () => {
  test("keeps the order, the first one being used to encrypt", () => {
    const { encryptionKeys } = readConfig(production({ ENCRYPTION_KEYS: `k2:${OTHER_KEY},k1:${KEY}` }));
    expect(encryptionKeys.map(({ id }) => id)).toEqual(["k2", "k1"]);
    expect(encryptionKeys[0].key.toString("base64")).toBe(OTHER_KEY);
  });

  test.each([`k1:${KEY},k1:${OTHER_KEY}`, "k1", `k 1:${KEY}`, "k1:AAAA"])("refuses %s", (keys) => {
    expect(problemOf(production({ ENCRYPTION_KEYS: keys }))).toContain("ENCRYPTION_KEYS");
  });
});

describe("EXECUTION_DEADLINE_HOURS", () => {
  test("may come as late as an hour before HubSpot's own expiry of seven days", () => {
    expect(readConfig(required({ EXECUTION_DEADLINE_HOURS: "167" })).executionDeadlineHours).toBe(167);
  });

  test.each(["168", "0", "-1", "soon"])("may not be %s", (hours) => {
    expect(problemOf(required({ EXECUTION_DEADLINE_HOURS: hours }))).toContain("EXECUTION_DEADLINE_HOURS");
  });
});

describe("generated development secrets", () => {
  test("are made once, for this account alone, and stay the same", () => {
    const first = readConfig(required());
    const second = readConfig(required());
    expect(second.sessionSecrets).toEqual(first.sessionSecrets);
    expect(second.encryptionKeys).toEqual(first.encryptionKeys);
    expect(first.encryptionKeys[0].key).toHaveLength(32);
    const files = readdirSync(dataDir);
    expect(files).toEqual(["encryption-key.secret", "session.secret"]);
    for (const file of files) expect(statSync(path.join(dataDir, file)).mode & 0o777).toBe(0o600);
  });

  test("are the same for processes that make them at once", async () => {
    const program = `
      import { tsImport } from "tsx/esm/api";
      const { readConfig } = await tsImport("./src/config.ts", "file://${process.cwd()}/");
      process.stdout.write(readConfig(process.env).sessionSecrets[0]);`;
    const run = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
        env: required(),
        encoding: "utf8",
      });
    const answers = await Promise.all([run(), run(), run()]);
    expect(new Set(answers.map(({ stdout }) => stdout))).toEqual(
      new Set([readFileSync(path.join(dataDir, "session.secret"), "utf8").trim()]),
    );
  });

  test("are never written through a file that another process with the same id left or is just linking", () => {
    const secret = path.join(dataDir, "elsewhere.secret");
    writeFileSync(secret, "in use by the other process");
    linkSync(secret, path.join(dataDir, `session.secret.${process.pid}`));
    expect(readConfig(required()).sessionSecrets[0]).toHaveLength(44);
    expect(readFileSync(secret, "utf8")).toBe("in use by the other process");
  });

  test.each(["", "\n"])("are not taken from a file that a crash left empty: %j", (left) => {
    writeFileSync(path.join(dataDir, "encryption-key.secret"), left);
    expect(problemOf(required())).toMatch(/DATA_DIR: .*encryption-key\.secret cannot be read, or is empty/);
  });

  test("give way to those that are set", () => {
    expect(readConfig(required({ SESSION_SECRET: "x".repeat(40) })).sessionSecrets).toEqual(["x".repeat(40)]);
    expect(readdirSync(dataDir)).toEqual(["encryption-key.secret"]);
  });

  test("stop the start with a sentence where DATA_DIR is no folder", () => {
    const file = path.join(dataDir, "file");
    writeFileSync(file, "");
    expect(problemOf(required({ DATA_DIR: file }))).toMatch(/DATA_DIR/);
  });
});

describe("readDatabaseConfig", () => {
  test("asks for no HubSpot app", () => {
    expect(readDatabaseConfig({ DATA_DIR: dataDir })).toEqual({
      databaseUrl: undefined,
      dataDir,
      logLevel: "info",
    });
  });

  test("refuses what is no PostgreSQL URL", () => {
    expect(() => readDatabaseConfig({ DATABASE_URL: "mysql://x" })).toThrow(ConfigError);
  });
});
