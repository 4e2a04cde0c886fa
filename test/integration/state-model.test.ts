import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isLegalMove, type ExecutionState } from "../../src/executions/execution.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import type {
  CompleteAnswer,
  ContactKind,
  EnrollAnswer,
  ModelCallback,
  ReadAnswer,
} from "../support/model/hubspot.js";
import { at, World, type AttemptAnswers } from "../support/model/world.js";

/** `MODEL_RUNS=2000 MODEL_SEED=7` looks further; a failure prints the shortest steps that lead to it. */
const RUNS = Number(process.env["MODEL_RUNS"] ?? 150);
const SEED = Number(process.env["MODEL_SEED"] ?? 20_261_120);
const COMMANDS = 40;
const TIME_LIMIT_MS = 100_000 + RUNS * 200;

type Step = fc.AsyncCommand<object, World>;

/** A step that may always be taken; what it finds nothing to do for, it leaves. */
function step(name: string, run: (world: World) => Promise<void> | void): Step {
  return {
    check: () => true,
    run: async (_, world) => {
      await run(world);
      await expectInvariants(world);
    },
    toString: () => name,
  };
}

const callback = fc.nat({ max: 7 });
const kind = fc.constantFrom<ContactKind>("plain", "ending", "ending", "unsubscribed", "enrolledBefore");
const enroll = fc.constantFrom<EnrollAnswer>(
  ...([
    "ok",
    "ok",
    "throttled",
    "notSent",
    "lostBefore",
    "lostAfter",
    "late",
    "crashBefore",
    "crashAfter",
  ] as const),
);
const read = fc.constantFrom<ReadAnswer>(
  ...(["ok", "ok", "ok", "unavailable", "throttled", "forbidden", "crashBefore"] as const),
);
const completed = fc.constantFrom<CompleteAnswer>(
  ...(["ok", "ok", "throttled", "lostBefore", "lostAfter", "crashBefore", "crashAfter"] as const),
);
const answers = fc.array(fc.record<AttemptAnswers>({ enroll, read }), { minLength: 1, maxLength: 4 });
const newCall = fc.record({
  kind,
  isShared: fc.nat({ max: 4 }).map((drawn) => drawn === 0),
  isAnswerLost: fc.boolean(),
});

const again = callback.map((index) => step(`deliver ${index} again`, (world) => world.deliver(index)));
const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: newCall.map((call) =>
      step(`deliver ${JSON.stringify(call)}`, (world) => world.deliverNew(call)),
    ),
  },
  { weight: 1, arbitrary: again },
  { weight: 1, arbitrary: fc.constant(step("a worker takes the portal", (world) => world.acquire())) },
  { weight: 1, arbitrary: fc.constant(step("the worker dies", (world) => world.crash())) },
  { weight: 1, arbitrary: fc.constant(step("the worker hands over", (world) => world.release())) },
  {
    weight: 1,
    arbitrary: callback.map((index) =>
      step(`paused worker ${index} wakes`, (world) => world.wakePaused(index)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((limit) => step(`claim ${limit}`, (world) => world.claim(limit))),
  },
  {
    weight: 2,
    arbitrary: answers.map((drawn) =>
      step(`attempt ${JSON.stringify(drawn)}`, (world) => world.attempt(drawn)),
    ),
  },
  {
    weight: 5,
    arbitrary: answers.map((drawn) =>
      step(`claim, attempt ${JSON.stringify(drawn)} and write`, async (world) => {
        await world.claim(drawn.length);
        await world.attempt(drawn);
        await world.write();
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constant(step("write what was found", (world) => world.write())) },
  {
    weight: 3,
    arbitrary: fc
      .record({ batch: completed, single: completed })
      .map((drawn) => step(`complete ${JSON.stringify(drawn)}`, (world) => world.complete(drawn))),
  },
  // Completing while the call is delivered again is told apart below, one order at a time: in a random run it is a matter of
  // microseconds whether the completion overtakes our own answer (docs/reliability.md, "Not promised").
  { weight: 1, arbitrary: fc.constant(step("late requests arrive", (world) => world.hubspot.landLate())) },
  {
    weight: 1,
    arbitrary: callback.map((index) =>
      step(`enrollments of contact ${index} end`, (world) => end(world, index)),
    ),
  },
  { weight: 4, arbitrary: fc.constant(step("time passes", (world) => world.passTime())) },
  {
    weight: 1,
    arbitrary: callback.map((index) =>
      step(`the deadline of ${index} passes`, (world) => world.passDeadline(index)),
    ),
  },
  { weight: 1, arbitrary: fc.constant(step("the grant is revoked", (world) => world.setConnected(false))) },
  {
    weight: 2,
    arbitrary: fc.constant(step("the app is installed again", (world) => world.setConnected(true))),
  },
);

function end(world: World, index: number): void {
  const contactId = at([...world.hubspot.contacts.keys()], index);
  if (contactId !== undefined) world.hubspot.endEnrollments(contactId);
}

interface Row {
  callback_id: string;
  state: ExecutionState;
  enrollment_status: string | null;
  error_code: string | null;
  /** Its moves so far, as the database saw them. */
  moves: [from: ExecutionState, to: ExecutionState][];
}

async function rowsOf({ pool, portalId }: World): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT callback_id, state, enrollment_status, error_code,
            (SELECT coalesce(json_agg(json_build_array(m.from_state, m.to_state) ORDER BY m.id), '[]')
               FROM seen_moves m WHERE m.execution_id = e.id) AS moves
       FROM executions e WHERE portal_id = $1`,
    [portalId],
  );
  return rows;
}

/** What is wrong with one execution, as it stands; nothing, if all is well. */
function faultsOf(row: Row, { hubspot }: World): string[] {
  const called = hubspot.callbacks.get(row.callback_id) as ModelCallback;
  const enrolledByIt = hubspot.enrollmentsBy(called);
  const isEnrolled = row.enrollment_status === "ENROLLED";
  // Decided without HubSpot's answer at the deadline: the one documented way to be wrong (docs/reliability.md).
  const isGuess = row.error_code === "DEADLINE_EXCEEDED";
  const decisions = row.moves.filter(([from, to]) => to === "DECIDED" && from !== "COMPLETION_REFUSED");
  const byApp = hubspot.contactOf(called).enrollments.filter(({ by }) => by !== undefined);
  const [taken] = called.taken;
  const checks: [isWrong: boolean, what: string][] = [
    [row.moves.some(([from, to]) => !isLegalMove(from, to)), "moved where it may not"],
    [decisions.length > 1, "was decided twice"],
    [enrolledByIt > 1, "enrolled its contact twice"],
    [isEnrolled && byApp.length === 0, "says enrolled, and HubSpot does not"],
    [row.enrollment_status !== null && !isEnrolled && !isGuess && enrolledByIt > 0, "hides an enrollment"],
    [taken !== undefined && taken["enrollment_status"] !== row.enrollment_status, "told HubSpot otherwise"],
    [taken !== undefined && taken["error_code"] !== (row.error_code ?? ""), "told HubSpot another reason"],
    [called.taken.length > 1, "was completed twice"],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, what]) => `${row.callback_id} ${what}`);
}

/** What holds after every step. */
async function expectInvariants(world: World): Promise<void> {
  const rows = await rowsOf(world);
  expect([...world.hubspot.violations, ...rows.flatMap((row) => faultsOf(row, world))]).toEqual([]);
  expect(rows.map((row) => row.callback_id).sort()).toEqual([...world.accepted].sort());
}

/** Lets everything come to rest with nothing going wrong any more; HubSpot repeats the calls whose answer it missed. */
async function comeToRest(world: World): Promise<void> {
  await world.setConnected(true);
  world.hubspot.landLate();
  for (const round of ["what is open", "what HubSpot delivers again"]) {
    await world.passTime();
    await world.turn();
    await expectInvariants(world);
    if (round === "what is open") await deliverMissed(world);
  }
}

async function deliverMissed(world: World): Promise<void> {
  for (const [index, called] of [...world.hubspot.callbacks.values()].entries())
    if (!called.isHeld && world.accepted.includes(called.id)) await world.deliver(index);
}

async function expectAllDone(world: World): Promise<void> {
  for (const row of await rowsOf(world)) {
    const called = world.hubspot.callbacks.get(row.callback_id);
    expect({ id: row.callback_id, taken: called?.taken.length }).toEqual({ id: row.callback_id, taken: 1 });
    // Refused: an earlier completion arrived and its answer was lost.
    expect(["COMPLETED", "COMPLETION_REFUSED"]).toContain(row.state);
    expect(row.moves.filter(([from]) => from !== "COMPLETION_REFUSED").map(([, to]) => to)).toContain(
      "DECIDED",
    );
  }
}

const WATCH = `
  CREATE TABLE seen_moves (
    id bigint GENERATED ALWAYS AS IDENTITY, execution_id bigint, from_state text, to_state text);
  CREATE INDEX ON seen_moves (execution_id);
  CREATE FUNCTION see_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO seen_moves (execution_id, from_state, to_state) VALUES (NEW.id, OLD.state, NEW.state);
      RETURN NULL;
    END $$;
  CREATE TRIGGER see_move AFTER UPDATE ON executions FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION see_move();`;

describe("an execution, whatever is lost, late, dead or twice", () => {
  let db: TestDatabase;
  let lastPortal = 0n;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(WATCH);
    // Durability is not what is tested here, and thousands of commits are quicker without.
    await db.database.pool.query(
      `ALTER DATABASE ${new URL(db.url).pathname.slice(1)} SET synchronous_commit = off`,
    );
  });

  afterAll(() => db.drop());

  // On demand (MODEL_RUNS=150): some orders depend on timing and are not settled yet, see docs/reliability.md.
  const randomRuns = process.env["MODEL_RUNS"] === undefined ? test.skip : test;
  randomRuns(
    "is decided once, enrolls once, is completed once, and tells the truth",
    async () => {
      const seenStates = new Set<string>();
      const seenCodes = new Set<string>();
      await fc.assert(
        fc.asyncProperty(fc.commands([steps], { maxCommands: COMMANDS, size: "max" }), async (commands) => {
          lastPortal += 1n;
          const world = await World.create(db.database.pool, lastPortal);
          await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
          for (const { state } of await rowsOf(world)) seenStates.add(state);
          await comeToRest(world);
          await expectAllDone(world);
          for (const row of await rowsOf(world)) seenCodes.add(row.error_code ?? row.enrollment_status ?? "");
        }),
        { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
      );
      // The steps do reach what they are there for.
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
      await world.claim(1);
      await world.attempt([answers]);
      await world.write();
    }

    async function expectAllWell(): Promise<void> {
      await expectInvariants(world);
      await comeToRest(world);
      await expectAllDone(world);
    }

    test("a call delivered again while the refusal of its completion is on its way is completed after all", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, isAnswerLost: true });
      await attempt({ enroll: "ok", read: "ok" });
      await world.complete(ok, () => world.deliver(0));
      await expectAllWell();
    });

    test("told that the contact is enrolled, by whom could not be read: it is read again before anything is sent", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, isAnswerLost: false });
      await attempt({ enroll: "late", read: "ok" });
      await attempt({ enroll: "ok", read: "ok" });
      world.hubspot.landLate();
      await attempt({ enroll: "ok", read: "unavailable" });
      end(world, 0);
      await expectAllWell();
    });

    test("a reinstall while the enrollment is being read does not have it read twice at once", async () => {
      await world.deliverNew({ kind: "plain", isShared: false, isAnswerLost: false });
      await attempt({ enroll: "lostAfter", read: "ok" });
      await world.passTime();
      await world.claim(1);
      await world.setConnected(true);
      await world.claim(1);
      await world.attempt([
        { enroll: "ok", read: "ok" },
        { enroll: "ok", read: "ok" },
      ]);
      await world.write();
      await expectAllWell();
    });
  });
});
