import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { addWebhook } from "#domain/subscriptions/change-webhooks.js";
import { createCipher } from "#domain/vault/cipher.js";
import { readCommand, USAGE, WrongUse } from "../../../src/bin/operator/arguments.js";
import { runCommand, type CommandReport } from "../../../src/bin/operator/commands.js";
import { createLogger } from "#platform/observability/logger.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const UNKNOWN = "999999";

describe("the operator's commands", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { contacts: 3 });
    await running.install(portal);
  });
  afterAll(() => running.close());

  function run(...words: string[]): Promise<CommandReport> {
    const command = readCommand(words);
    if (command === undefined) throw new Error("help was asked for");
    const cipher = () => createCipher(running.config.encryptionKeys);
    const logger = createLogger({ level: "silent" });
    return runCommand({ database: running.db.database, logger, cipher }, command);
  }
  const portalId = () => String(portal.portalId);
  const enroll = (ids: readonly string[]) =>
    portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...ids],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });

  test("a paused account keeps its calls, says so, and goes on when it is resumed; its audit log names the operator", async () => {
    expect((await run("pause", portalId())).exitCode).toBe(0);
    const held = enroll([...portal.contacts.keys()]);
    await running.simulator.waitFor(() => held.executions.every(({ attempts }) => attempts.length > 0));
    expect((await run("portals")).document).toMatchObject({
      portals: [{ portalId: BigInt(portalId()), trouble: "PAUSED", status: "CONNECTED" }],
    });
    expect((await run("drain", portalId(), "--wait", "1")).exitCode).toBe(1);

    await run("resume", portalId());
    expect(await run("drain", portalId(), "--wait", "60")).toMatchObject({
      exitCode: 0,
      document: { isDrained: true, waiting: 0, unreported: 0 },
    });
    await held.finished;
    const { document, lines } = await run("portal", portalId());
    expect(document).toMatchObject({
      trouble: null,
      outcomes: [{ outcome: "ENROLLED", executions: 3 }],
      audit: [
        { action: "RESUMED", userEmail: "The operator of this service" },
        { action: "PAUSED", userEmail: "The operator of this service" },
        ...(document as { audit: object[] }).audit.slice(2),
      ],
    });
    expect(lines.join("\n")).toContain("3\tENROLLED");
  });

  test("messages that were given up are sent once more, and nothing else is", async () => {
    const { pool } = running.db.database;
    const cipher = createCipher(running.config.encryptionKeys);
    const store = { pool, cipher, privateDestinations: new Set<string>() };
    const admin = {
      kind: "admin",
      portalId: BigInt(portalId()),
      userId: 1n,
      userEmail: "a@acme.example",
    } as const;
    const added = await addWebhook(store, admin, {
      url: "https://hooks.example.com/in",
      events: ["enrollment.enrolled"],
      description: "",
    });
    if (added.kind !== "added") throw new Error(added.kind);
    await pool.query(
      `INSERT INTO webhook_deliveries (portal_id, subscription_id, type, order_key, data, state)
       SELECT $1, $2, 'enrollment.enrolled', 'k' || n, '{}', CASE WHEN n <= 2 THEN 'GIVEN_UP' ELSE 'DELIVERED' END
         FROM generate_series(1, 5) AS n`,
      [portalId(), added.webhook.id],
    );
    expect((await run("redeliver", portalId(), "--webhook", "424242")).exitCode).toBe(1);
    expect((await run("redeliver", portalId())).document).toMatchObject({ requested: 2 });
    expect((await run("redeliver", portalId())).document).toMatchObject({ requested: 0 });
  });

  test.each(["portal", "pause", "resume", "drain", "redeliver"])(
    "%s says that an account is not known",
    async (name) => {
      expect(await run(name, UNKNOWN)).toMatchObject({
        exitCode: 3,
        lines: [expect.stringContaining(`Account ${UNKNOWN} does not have the app`)],
      });
      const { rows } = await running.db.database.pool.query(
        "SELECT FROM portal_settings WHERE portal_id = $1",
        [UNKNOWN],
      );
      expect(rows).toEqual([]);
    },
  );

  test("an account is deleted only if that is meant, and then whole", async () => {
    await expect(run("erase", portalId())).rejects.toThrow(WrongUse);
    expect((await run("portals")).document).toMatchObject({ portals: [{ status: "CONNECTED" }] });
    expect((await run("erase", portalId(), "--yes")).exitCode).toBe(0);
    expect((await run("portals")).lines).toEqual(["No account has the app."]);
  });

  test("as a program it prints JSON, and ends with the code that scripts branch on", async () => {
    const outcome = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "src/bin/operator.ts", "portal", UNKNOWN, "--json"],
      { env: { ...process.env, ...running.environment } },
    ).catch((error: unknown) => error as { code: number; stdout: string });
    expect(outcome).toMatchObject({ code: 3 });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ portalId: UNKNOWN });
  });
});

describe("what the operator types", () => {
  test.each([
    [[], "Name a command."],
    [["portal"], '"portal" needs an account.'],
    [["pause", "acme"], 'not "acme"'],
    [["portals", "7"], '"portal 7" shows one'],
    [["explode", "7"], 'no command "explode"'],
    [["pause", "7", "--yes"], '"pause" takes no --yes'],
    [["drain", "7", "--wait", "soon"], "--wait needs a number"],
    [["pause", "7", "8"], '"8" is too much'],
    [["portals", "--josn"], "josn"],
  ])("%j is explained", (words, sentence) => {
    expect(() => readCommand(words)).toThrow(WrongUse);
    expect(() => readCommand(words)).toThrow(sentence);
  });

  test("the help names every command", () => {
    expect(readCommand(["pause", "7", "--help"])).toBeUndefined();
    for (const name of ["portals", "portal", "pause", "resume", "drain", "redeliver", "erase"])
      expect(USAGE).toContain(`\n  ${name} `.replace("portals ", "portals "));
  });
});
