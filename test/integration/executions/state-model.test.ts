import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import {
  comeToRest,
  expectAllDone,
  expectInvariants,
  rowsOf,
  WATCH,
} from "../../support/model/invariants.js";
import type { AttemptAnswers, BlockAnswer } from "../../support/model/answers.js";
import { KIND, UNKIND, type ModelCallback } from "../../support/model/hubspot.js";
import { EXAMPLES } from "../../support/model/scripts.js";
import { endEnrollments, steps } from "../../support/model/steps.js";
import { World } from "../../support/model/world.js";

/**
 * Each time another seed; it stands in the test's name, and MODEL_SEED takes it up again. The long tests look
 * further, `MODEL_RUNS=2000` further still. A failure prints the shortest steps that lead to it.
 */
const RUNS = Number(process.env["MODEL_RUNS"] ?? 30);
const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
const COMMANDS = 60;
const TIME_LIMIT_MS = 100_000 + RUNS * 200;

describe("an execution, whatever is lost, late, dead or twice", () => {
  let db: TestDatabase;
  let lastPortal = 0n;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(WATCH);
  });

  afterAll(() => db.drop());

  test(
    `is decided once, enrolls once, is completed once, and tells the truth (MODEL_SEED=${SEED})`,
    async () => {
      const seenStates = new Set<string>();
      const seenCodes = new Set<string>();
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(UNKIND, UNKIND, KIND),
          fc.commands([steps], { maxCommands: COMMANDS, size: "max" }),
          async (answers, commands) => {
            lastPortal += 1n;
            const world = await World.create(db.database.pool, lastPortal, answers);
            await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
            await comeToRest(world);
            await expectAllDone(world);
            for (const row of await rowsOf(world)) {
              row.moves.flat().forEach((state) => seenStates.add(state));
              seenCodes.add(row.error_code ?? row.enrollment_status ?? "");
            }
          },
        ),
        {
          numRuns: RUNS,
          seed: SEED,
          examples: EXAMPLES,
          interruptAfterTimeLimit: TIME_LIMIT_MS,
          markInterruptAsFailure: true,
        },
      );
      // Whatever is drawn, the steps reach what they are there for: the examples see to it.
      expect([...seenStates].sort()).toEqual(
        expect.arrayContaining([
          "ATTEMPTING",
          "COMPLETED",
          "COMPLETION_REFUSED",
          "DECIDED",
          "QUEUED",
          "UNCERTAIN",
        ]),
      );
      expect([...seenCodes].sort()).toEqual([
        "ALREADY_ENROLLED",
        "DEADLINE_EXCEEDED",
        "ENROLLED",
        "HUBSPOT_UNAVAILABLE",
        "UNSUBSCRIBED",
      ]);
    },
    TIME_LIMIT_MS + 30_000,
  );

  describe("in particular", () => {
    let world: World;
    const ok = { batch: "ok", single: "ok" } as const;

    beforeEach(async () => {
      lastPortal += 1n;
      world = await World.create(db.database.pool, lastPortal);
    });

    async function attempt(answers: AttemptAnswers): Promise<void> {
      await world.passTime();
      await world.worker.claim(1);
      await world.worker.attempt([answers]);
      await world.worker.write();
    }

    async function expectAllWell(): Promise<void> {
      await expectInvariants(world);
      await comeToRest(world);
      await expectAllDone(world);
    }

    /** A second later, because instants are stored in whole milliseconds: what is due now may be due in the next one. */
    async function sendCompletions(): Promise<void> {
      await world.passSeconds(1);
      await world.worker.complete(ok);
    }

    async function decideOne(answer: BlockAnswer): Promise<ModelCallback> {
      await world.deliverNew({ kind: "plain", isShared: false, answer });
      await world.passSeconds(1);
      await world.worker.claim(1);
      await world.worker.attempt([{ enroll: "ok", read: "ok" }]);
      await world.worker.write();
      return [...world.hubspot.callbacks.values()].at(-1) as ModelCallback;
    }

    test("a completion that overtakes our own answer is refused, and taken once HubSpot has read the answer", async () => {
      const callback = await decideOne("late");
      await sendCompletions();
      await world.passSeconds(10);
      await sendCompletions();
      expect(callback.taken).toEqual([]);
      await world.passSeconds(50);
      await sendCompletions();
      expect(callback.taken).toEqual([expect.objectContaining({ enrollment_status: "ENROLLED" })]);
    });

    test("a completion that HubSpot does not want is sent three times within a minute, and never again", async () => {
      const callback = await decideOne("lost");
      for (let seconds = 0; seconds < 180; seconds += 5) {
        await sendCompletions();
        await world.passSeconds(5);
      }
      // Each time in a batch first, then alone.
      expect(callback.refusals).toBe(3 * 2);
      expect(await rowsOf(world)).toEqual([expect.objectContaining({ state: "COMPLETION_REFUSED" })]);
      await expectAllWell();
    });

    test.each([413, 422] as const)("a batch answered %i is sent one by one", async (batch) => {
      const first = await decideOne("read");
      const second = await decideOne("read");
      await world.passSeconds(1);
      await world.worker.complete({ batch, single: "ok" });
      expect([first, second].map(({ taken }) => taken.length)).toEqual([1, 1]);
    });

    test("a completion refused for good is owed again when HubSpot delivers the call again, and may overtake that answer too", async () => {
      const callback = await decideOne("lost");
      await world.passTime();
      await sendCompletions();
      expect(await rowsOf(world)).toEqual([expect.objectContaining({ state: "COMPLETION_REFUSED" })]);
      await world.deliver(0, "late");
      await sendCompletions();
      expect(callback.taken).toEqual([]);
      await world.passSeconds(60);
      await sendCompletions();
      expect(callback.taken).toHaveLength(1);
    });

    test("a call delivered again while the refusal of its completion is on its way is completed after all", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, answer: "lost" });
      await attempt({ enroll: "ok", read: "ok" });
      await world.passTime();
      await world.worker.complete(ok, () => world.deliver(0));
      await expectAllWell();
    });

    test("told that the contact is enrolled, by whom could not be read: it is read again before anything is sent", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, answer: "read" });
      await attempt({ enroll: "late", read: "ok" });
      await attempt({ enroll: "ok", read: "ok" });
      world.hubspot.landLate();
      await attempt({ enroll: "ok", read: "unavailable" });
      endEnrollments(world, 0);
      await expectAllWell();
    });

    test("told that the contact is enrolled, and not shown in what yet: it is ours, and nothing is sent again", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, answer: "read" });
      await world.worker.claim(1);
      await world.worker.attempt([{ enroll: "lostAfter", read: "ok" }]);
      await world.worker.write();
      await world.passSeconds(2);
      await attempt({ enroll: "ok", read: "ok" });
      await expectAllWell();
      expect(await rowsOf(world)).toEqual([expect.objectContaining({ enrollment_status: "ENROLLED" })]);
    });

    test("an execution that the app fails on for the last time, after the request was sent, is read before it is given up", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, answer: "read" });
      await db.database.pool.query(`UPDATE executions SET crashes = 9 WHERE portal_id = $1`, [
        world.portalId,
      ]);
      await attempt({ enroll: "faultAfter", read: "ok" });
      await expectAllWell();
      expect(await rowsOf(world)).toEqual([expect.objectContaining({ enrollment_status: "ENROLLED" })]);
    });

    test("a reinstall while the enrollment is being read does not have it read twice at once", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, answer: "read" });
      await attempt({ enroll: "lostAfter", read: "ok" });
      await world.passTime();
      await world.worker.claim(1);
      await world.setConnected(true);
      await world.worker.claim(1);
      await world.worker.attempt([
        { enroll: "ok", read: "ok" },
        { enroll: "ok", read: "ok" },
      ]);
      await world.worker.write();
      await expectAllWell();
    });
  });
});
