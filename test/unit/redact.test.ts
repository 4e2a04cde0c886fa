import { describe, expect, test } from "@jest/globals";
import { createLogger, type Logger } from "../../src/observability/logger.js";
import { redactSecrets, redactText } from "../../src/observability/redact.js";

/** Made-up values in the shapes of the real ones. */
const SECRETS = {
  "a refresh token": "na1-3f2a-77bc-4b1e-9d20-8c55e0a1b2c3",
  "a private-app token": "pat-eu1-1a2b3c4d-55aa-4c3d-8e9f-001122334455",
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
  "an error's message": (logger, secret) => logger.error({ error: new Error(`bad ${secret}`) }, "failed"),
  "an error's cause": (logger, secret) =>
    logger.error({ error: new Error("failed", { cause: new Error(secret) }) }, "failed"),
  "a bare error": (logger, secret) => logger.error(new Error(`bad ${secret}`)),
  "an error under err without a message": (logger, secret) =>
    logger.error({ err: new Error(`bad ${secret}`) }),
  "an aggregate error": (logger, secret) =>
    logger.error({ error: new AggregateError([new Error(secret)], "all") }, "x"),
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

describe("redactText", () => {
  test("hides the password of a database URL and keeps the rest", () => {
    expect(redactText(`connect ${DATABASE_URL} refused`)).toBe(
      "connect postgresql://enroller:[redacted]@db.internal:5432/app refused",
    );
  });

  test.each([
    "portal 4815162342 drained in 250 ms",
    "sequence 1234567890, contact 98765432101, callback ap-102670506-56776413549-7-0",
    "request 5f0c9a52-7d9f-4c58-a1d5-2b6a4f4f7a10 to https://api.hubapi.com/automation/sequences/2026-09/enrollments",
    "at drainPortal (/srv/app/dist/jobs/drain-portal.js:42:11)",
    "checksum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "meet at 10:30 with jo@example.com",
  ])("leaves alone: %s", (text) => {
    expect(redactText(text)).toBe(text);
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
