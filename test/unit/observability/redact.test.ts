import { describe, expect, test } from "@jest/globals";
import { ownSecrets } from "../../../src/compose/own-secrets.js";
import { readConfig } from "../../../src/config.js";
import { createLogger, type Logger } from "#platform/observability/logger.js";
import { redactSecrets, redactText } from "#platform/observability/redact.js";

/** Made-up values in the shapes of the real ones. */
const SECRETS = {
  "a refresh token": "na1-3f2a-77bc-4b1e-9d20-8c55e0a1b2c3",
  "a private-app token": "pat-eu1-1a2b3c4d-55aa-4c3d-8e9f-001122334455",
  "a key of Close": "api_4q5t8KQz1bN7cV0xYwLmRs.2wXy7ZabCdEfGh9JkLmNpQ",
  "an access token": "CKjX0JPGMhIUAAEAAQAAABAAAIAAgAAADgEYqJGqFiC8yqY4KJ3U6gIyFDhY1sC2lV9nQ0mR7tZpWx",
  "a session token":
    "eyJhbGciOiJIUzI1NiJ9.eyJwb3J0YWxJZCI6MTIzNDV9.sflKxwRJSMeKKF2QT4fwpMeJf36POk6yJVadQssw5c",
};
const DATABASE_URL = "postgresql://enroller:hunter2pass@db.internal:5432/app";

function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  return {
    logger: createLogger({ level: "trace", destination: { write: (line) => void lines.push(line) } }),
    lines,
  };
}

const PATHS: Record<string, (logger: Logger, secret: string) => void> = {
  "the message": (logger, secret) => logger.info(`refresh answered ${secret}`),
  "a format argument": (logger, secret) => logger.info("refresh answered %s", secret),
  "an object as format argument": (logger, secret) => logger.info("refresh answered %o", { note: secret }),
  "a field": (logger, secret) => logger.warn({ note: secret }, "refresh"),
  "a field with a telling name": (logger, secret) => logger.warn({ accessToken: secret }, "refresh"),
  "a nested field": (logger, secret) => logger.warn({ answer: { body: [{ note: secret }] } }, "refresh"),
  "the name of a field": (logger, secret) =>
    logger.warn({ byToken: { [secret]: 1 }, seen: { [secret]: 1 } }, "x"),
  "an error's message": (logger, secret) => logger.error({ err: new Error(`bad ${secret}`) }, "failed"),
  "an error's cause": (logger, secret) =>
    logger.error({ err: new Error("failed", { cause: new Error(secret) }) }, "failed"),
  "an error of a child": (logger, secret) =>
    logger.child({ err: new Error(`bad ${secret}`, { cause: new Error(secret) }) }).error("failed"),
  "a bare error": (logger, secret) => logger.error(new Error(`bad ${secret}`)),
  "an error under err without a message": (logger, secret) =>
    logger.error({ err: new Error(`bad ${secret}`) }),
  "an aggregate error": (logger, secret) =>
    logger.error({ err: new AggregateError([new Error(secret)], "all") }, "x"),
  "a child's fields": (logger, secret) => logger.child({ note: secret }).info("refresh"),
  "a grandchild's fields": (logger, secret) =>
    logger.child({ portalId: "1" }).child({ note: secret }).info("refresh"),
  "a child's prefix": (logger, secret) => logger.child({}, { msgPrefix: `${secret}: ` }).info("refresh"),
  "fields set later": (logger, secret) => {
    const child = logger.child({});
    child.setBindings({ note: secret });
    child.info("refresh");
  },
  "JSON in text": (logger, secret) => logger.info(`answer {"access_token":"${secret}","expires_in":1800}`),
  "a URL": (logger, secret) =>
    logger.info({ url: new URL(`http://localhost/oauth?code=${secret}`) }, "callback"),
  "a header": (logger, secret) => logger.debug({ headers: { authorization: `Bearer ${secret}` } }, "request"),
  "an object with toJSON": (logger, secret) =>
    logger.info({ thing: { toJSON: () => ({ secret }) } }, "thing"),
};

describe.each(Object.entries(SECRETS))("%s", (_name, secret) => {
  test.each(Object.entries(PATHS))("does not pass through %s", (_path, log) => {
    const { logger, lines } = recordingLogger();
    log(logger, secret);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(secret);
    expect(lines[0]).not.toContain(secret.slice(0, 24));
    expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
  });
});

test.each([
  ["a record", (logger: Logger, err: Error) => logger.error({ err }, "failed")],
  ["a child", (logger: Logger, err: Error) => logger.child({ err }).error("failed")],
  ["the argument itself", (logger: Logger, err: Error) => logger.error(err, "failed")],
])("an error under err in %s keeps its type, code and cause", (_where, log) => {
  const { logger, lines } = recordingLogger();
  const cause = new RangeError("too far");
  log(logger, Object.assign(new TypeError("no route", { cause }), { code: "ECONNREFUSED" }));
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    err: {
      type: "TypeError",
      message: "no route",
      code: "ECONNREFUSED",
      cause: { type: "RangeError", message: "too far" },
    },
    msg: "failed",
  });
});

describe("a secret without a shape of its own", () => {
  test.each([
    ["a field", (logger: Logger) => logger.info({ clientSecret: "plain words" }, "x")],
    ["a child's field", (logger: Logger) => logger.child({ clientSecret: "plain words" }).info("x")],
    ["an object as format argument", (logger: Logger) => logger.info("%o", { client_secret: "plain words" })],
    ["a list", (logger: Logger) => logger.info({ clientSecrets: ["plain words"] }, "x")],
    ["bytes", (logger: Logger) => logger.info({ key: Buffer.from("plain words") }, "x")],
  ])("does not pass through %s", (_path, log) => {
    const { logger, lines } = recordingLogger();
    log(logger);
    expect(lines[0]).not.toContain("plain words");
    expect(lines[0]).not.toContain("112,108,97");
  });
});

describe("a secret that the operator gave the app", () => {
  const secrets = ["3c5c1a9e-41b4-4f6e-9d6e-1f2e3d4c5b6a", 'S+/3t "pass" w=', "short"];
  const [client = "", odd = ""] = secrets;

  test.each(Object.entries(PATHS))("does not pass through %s", (_path, log) => {
    for (const secret of [client, odd, encodeURIComponent(odd)]) {
      const lines: string[] = [];
      const destination = { write: (line: string) => void lines.push(line) };
      log(createLogger({ level: "trace", destination, secrets }), secret);
      expect(lines).toHaveLength(1);
      for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) expect(lines[0]).not.toContain(form);
      expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
    }
  });

  test("costs no other word that has a very short one in it", () => {
    const lines: string[] = [];
    createLogger({ level: "info", destination: { write: (line) => void lines.push(line) }, secrets }).info(
      "a shortage",
    );
    expect(lines[0]).toContain("a shortage");
  });

  test("is any of its secrets, keys and passwords", () => {
    const given = {
      ...{
        NODE_ENV: "development",
        HUBSPOT_CLIENT_ID: "client",
        HUBSPOT_CLIENT_SECRET: `${client},older-secret`,
      },
      ...{ SESSION_SECRET: "session-secret-0123456789-0123456789", METRICS_TOKEN: "metrics-token" },
      ENCRYPTION_KEYS: `k2:${Buffer.alloc(32, 2).toString("base64")},k1:${Buffer.alloc(32, 1).toString("base64")}`,
      ...{
        DATABASE_URL: "postgresql://u:p%40ssw0rd@h/d",
        SMTP_URL: "smtp://u:mail-pass@h",
        MAIL_FROM: "a@b.example",
      },
    };
    expect([...ownSecrets(readConfig(given))].sort()).toEqual(
      [
        ...[client, "older-secret", given.SESSION_SECRET, given.METRICS_TOKEN],
        ...[2, 1].map((byte) => Buffer.alloc(32, byte).toString("base64")),
        ...["p%40ssw0rd", "p@ssw0rd", "mail-pass", "mail-pass"],
      ].sort(),
    );
  });
});

describe("redactText", () => {
  test.each([
    `client_secret: ${"3c5c1a9e-41b4-4f6e-9d6e-1f2e3d4c5b6a"}`,
    "authorization: 3c5c1a9e41b44f6e",
    "{'api_key': 'api_4q5t8K.2wXy7Zab'}",
    "X-Api-Key: Zm9vYmFyYmF6cXV4MTIz",
  ])("hides what a header, YAML or another program's object names a secret: %s", (text) => {
    const secret = /[\w.-]+(?='?\}?$)/.exec(text)?.[0] ?? "";
    expect(secret.length).toBeGreaterThan(11);
    expect(redactText(text)).toBe(text.replace(secret, "[redacted]"));
    expect(redactText(`failed (${text}); again`)).not.toContain(secret);
  });

  test("hides the password of a database URL and keeps the rest", () => {
    expect(redactText(`connect ${DATABASE_URL} refused`)).toBe(
      "connect postgresql://enroller:[redacted]@db.internal:5432/app refused",
    );
  });

  test.each([
    "portal 4815162342 drained in 250 ms",
    "sequence 1234567890, contact 98765432101, callback ap-102670506-56776413549-7-0",
    "request 5f0c9a52-7d9f-4c58-a1d5-2b6a4f4f7a10 to https://api.hubapi.com/automation/sequences/2026-09/enrollments",
    "at drainPortal (/srv/app/dist/worker/drain/drain-portal.js:42:11)",
    "checksum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "meet at 10:30, @all, with express@4.18.2 and @prisma/client",
    "connect postgresql://enroller@db.internal:5432/app refused",
    "the token: expired-since-yesterday, the signature: none",
  ])("leaves alone: %s", (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe("an email address", () => {
  test.each([
    ["HubSpot refused jo.doe+x@sales.example.com.", "HubSpot refused [address]."],
    ['550 5.1.1 <jo@example.com>: no such user "jo"', '550 5.1.1 <[address]>: no such user "jo"'],
    ['{"email":"o\'neil@example.com","id":1}', '{"email":"o\'[address]","id":1}'],
    ["/contacts?email=jo%40example.com&a=1", "/contacts?email=[address]&a=1"],
    ["jörg@müller.de, zoë@lead.example", "[address], [address]"],
    ["mailto:jo@example.com", "mailto:[address]"],
  ])("is in no line: %s", (text, shown) => {
    expect(redactText(text)).toBe(shown);
  });

  test("is shown in no part, wherever the text is cut", () => {
    for (let before = 1_880; before < 2_010; before += 1) {
      const shown = redactText(
        `${"x ".repeat(before).slice(0, before)} person@lead.example ${"and so on ".repeat(500)}`,
      );
      expect(shown).not.toMatch(/pers|lead\.ex/);
    }
  });
});

describe("redactSecrets", () => {
  test("keeps an error's code and type", () => {
    const error = Object.assign(new TypeError("no route"), { code: "ECONNREFUSED" });
    expect(redactSecrets({ error })).toMatchObject({
      error: { type: "TypeError", code: "ECONNREFUSED", message: "no route" },
    });
  });

  test("does not follow a value that contains itself without end", () => {
    const round: Record<string, unknown> = { name: "x" };
    round["self"] = round;
    expect(JSON.stringify(redactSecrets(round))).toContain("[deep]");
  });
});

describe("a long text", () => {
  const token = SECRETS["an access token"];
  const CUT = [
    ["an access token", `${token} `],
    ["a session token", `${SECRETS["a session token"]} `],
    ["a refresh token", `${SECRETS["a refresh token"]} `],
    ["a bearer", "Bearer 0123456789abcdef "],
    ["a parameter", "?access_token=hunter2pass&a=b "],
    ["JSON", '{"access_token":"hunter2pass and more","b":1} '],
    ["escaped JSON", '{\\"client_secret\\":\\"hunter2pass\\"} '],
    ["a database URL", `${DATABASE_URL} `],
  ] as const;

  test.each(CUT)("shows no part of %s, wherever it is cut", (_what, secret) => {
    for (let before = 1_880; before < 2_010; before += 1) {
      for (const filler of ["word ", "a/", token + " "]) {
        const text = filler.repeat(before).slice(0, before - 1) + " " + secret + "and so on ".repeat(500);
        const shown = redactText(text);
        expect(shown.length).toBeLessThanOrEqual(2_001);
        for (const part of ["hunter2", "CKjX0JPG", "eyJhbG", "3f2a", "01234567"]) {
          expect(shown).not.toContain(filler.includes(part) ? token : part);
        }
      }
    }
  });

  test("is cut between characters, never inside one", () => {
    for (const start of ["", "a"]) {
      const shown = redactText(start + "🚀".repeat(3_000));
      expect(shown).toMatch(/^a?(?:🚀)+…$/u);
      expect(shown.length).toBeGreaterThan(1_990);
    }
  });

  test("costs as little as its beginning, however long it is and whatever it is made of", () => {
    for (const unit of ["word ", "token=aB1 ", '\\"secret\\":\\"a\\",', "a://b:c@d "]) {
      const text = Buffer.alloc(32 * 1024 * 1024, unit).toString("latin1");
      const before = process.cpuUsage();
      redactText(text);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(50);
    }
  });

  test.each([
    ["a field", (logger: Logger, text: string) => logger.info({ text }, "x")],
    ["the name of a field", (logger: Logger, text: string) => logger.info({ [text]: 1 }, "x")],
    ["the message", (logger: Logger, text: string) => logger.info(text)],
    ["a format argument", (logger: Logger, text: string) => logger.info("%s", text)],
    ["an error", (logger: Logger, text: string) => logger.info({ err: new Error(text) })],
    ["a bare error", (logger: Logger, text: string) => logger.error(new Error(text))],
  ])("is cut as %s", (_what, log) => {
    const { logger, lines } = recordingLogger();
    log(logger, "word ".repeat(100_000));
    expect(lines[0]?.length).toBeLessThan(9_000);
    expect(lines[0]).toContain("word word");
    expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
  });

  test.each([
    ["many fields", Object.fromEntries([...Array(5_000).keys()].map((at) => [`field${at}`, "some words"]))],
    ["many items", { items: Array(5_000).fill("some words") }],
    ["many long fields", Object.fromEntries([...Array(50).keys()].map((at) => [at, '\\"é'.repeat(3_000)]))],
    [
      "many errors",
      {
        err: new AggregateError(
          [...Array(99).keys()].map((at) => new Error(`e${at}`)),
          "all",
        ),
      },
    ],
  ])("%s make no line longer than 16 kB, and it is JSON", (_what, record) => {
    const { logger, lines } = recordingLogger();
    logger.warn(record, "too much");
    logger.child(record).warn("too much");
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(16_384);
      expect(JSON.parse(line)).toMatchObject({ level: "warn", time: expect.any(String) });
    }
  });
});

describe("parameters of an address", () => {
  test.each([
    ["/oauth/callback?state=abcdef&code=hunter2&x=1", "/oauth/callback?state=[redacted]&code=[redacted]&x=1"],
    ["returnUrl=https%3A%2F%2Fx%3Fcode%3Dhunter2", "returnUrl=https%3A%2F%2Fx%3Fcode%3D[redacted]"],
    ["to=/a?client_secret=hunter2", "to=/a?client_secret=[redacted]"],
    ["x_api_key=hunter2; hubspot-signature=abc", "x_api_key=[redacted] hubspot-signature=[redacted]"],
    ["a=1&b=c=d&zipcode=123", "a=1&b=c=d&zipcode=123"],
  ])("%s", (text, shown) => {
    expect(redactText(text)).toBe(shown);
  });
});

test("a stable error code is no OAuth code", () => {
  expect(redactSecrets({ code: "BODY_TOO_LARGE" })).toEqual({ code: "BODY_TOO_LARGE" });
  expect(redactSecrets({ code: "na1-3f2a-77bc" })).toEqual({ code: "[redacted]" });
});
