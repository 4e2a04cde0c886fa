import fc from "fast-check";
import type {
  AttemptAnswers,
  BlockAnswer,
  CompleteAnswer,
  CompleteAnswers,
  EnrollAnswer,
  ReadAnswer,
} from "./answers.js";
import type { ContactKind } from "./hubspot.js";
import { expectInvariants } from "./invariants.js";
import { at, type NewCall, type World } from "./world.js";

export type Step = fc.AsyncCommand<object, World>;

/** A step that may always be taken; what it finds nothing to do for, it leaves. */
function step(name: string, run: (world: World) => Promise<unknown> | void): Step {
  return {
    check: () => true,
    run: async (_, world) => {
      await run(world);
      await expectInvariants(world);
    },
    toString: () => name,
  };
}

/** Ends a contact's enrollments, as its replies and bounces do. */
export function endEnrollments(world: World, index: number): void {
  const contactId = at([...world.hubspot.contacts.keys()], index);
  if (contactId !== undefined) world.hubspot.endEnrollments(contactId);
}

export const delivers = (call: NewCall): Step =>
  step(`deliver ${JSON.stringify(call)}`, (world) => world.deliverNew(call));

export const attempts = (drawn: readonly AttemptAnswers[], { isAfterWait }: { isAfterWait: boolean }): Step =>
  step(`${isAfterWait ? "wait, " : ""}claim, attempt ${JSON.stringify(drawn)} and write`, async (world) => {
    if (isAfterWait) await world.passTime();
    await world.worker.claim(drawn.length);
    await world.worker.attempt(drawn);
    await world.worker.write();
  });

export const completes = (drawn: CompleteAnswers, { isAfterWait }: { isAfterWait: boolean }): Step =>
  step(`${isAfterWait ? "wait, " : ""}complete ${JSON.stringify(drawn)}`, async (world) => {
    if (isAfterWait) await world.passTime();
    await world.worker.complete(drawn);
  });

const OUTAGE = { enroll: "lostBefore", read: "unavailable" } as const;

export const outlastsDeadline = (index: number): Step =>
  step(`HubSpot is down past the deadline of ${index}`, async (world) => {
    for (const isPast of [false, true]) {
      if (isPast) await world.passDeadline(index);
      await world.passTime();
      await world.worker.claim(4);
      await world.worker.attempt(Array.from({ length: 8 }, () => OUTAGE));
      await world.worker.write();
    }
  });

export const deadlinePasses = (index: number): Step =>
  step(`the deadline of ${index} passes`, (world) => world.passDeadline(index));

const callback = fc.nat({ max: 7 });
const kind = fc.constantFrom<ContactKind>("plain", "ending", "ending", "unsubscribed", "enrolledBefore");
const blockAnswer = fc.constantFrom<BlockAnswer>("read", "read", "lost", "late");
const enroll = fc.constantFrom<EnrollAnswer>(
  ...(["ok", "ok", "throttled", "notSent", "lostBefore", "lostAfter", "late"] as const),
  ...(["crashBefore", "crashAfter", "faultBefore", "faultAfter"] as const),
);
const read = fc.constantFrom<ReadAnswer>(
  ...(["ok", "ok", "ok", "unavailable", "throttled", "forbidden", "crashBefore", "faultBefore"] as const),
);
const completed = fc.constantFrom<CompleteAnswer>(
  ...(["ok", "ok", "throttled", "lostBefore", "lostAfter", "crashBefore", "crashAfter"] as const),
);
const answers = fc.array(fc.record({ enroll, read }), { minLength: 1, maxLength: 4 });
const newCall = fc.record({
  kind,
  isShared: fc.nat({ max: 4 }).map((drawn) => drawn === 0),
  answer: blockAnswer,
});
const again = fc.record({ index: callback, answer: blockAnswer });
const completions = fc.record({
  batch: fc.oneof({ weight: 7, arbitrary: completed }, { weight: 1, arbitrary: fc.constantFrom(413, 422) }),
  single: completed,
});

const always = (name: string, run: (world: World) => Promise<unknown> | void) => fc.constant(step(name, run));

/** Everything that can happen to a portal, the likelier the more often. */
export const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: newCall.map(delivers),
  },
  {
    weight: 1,
    arbitrary: again.map(({ index, answer }) =>
      step(`deliver ${index} again, ${answer}`, (world) => world.deliver(index, answer)),
    ),
  },
  { weight: 1, arbitrary: always("a worker takes the portal", ({ worker }) => worker.acquire()) },
  { weight: 1, arbitrary: always("the worker dies", ({ worker }) => worker.crash()) },
  { weight: 1, arbitrary: always("the worker hands over", ({ worker }) => worker.release()) },
  {
    weight: 1,
    arbitrary: callback.map((index) =>
      step(`paused worker ${index} wakes`, ({ worker }) => worker.wakePaused(index)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((limit) => step(`claim ${limit}`, ({ worker }) => worker.claim(limit))),
  },
  {
    weight: 2,
    arbitrary: answers.map((drawn) =>
      step(`attempt ${JSON.stringify(drawn)}`, ({ worker }) => worker.attempt(drawn)),
    ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.boolean(), answers)
      .map(([isAfterWait, drawn]) => attempts(drawn, { isAfterWait })),
  },
  {
    weight: 1,
    arbitrary: callback.map(outlastsDeadline),
  },
  { weight: 1, arbitrary: always("write what was found", ({ worker }) => worker.write()) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.boolean(), completions)
      .map(([isAfterWait, drawn]) => completes(drawn, { isAfterWait })),
  },
  {
    weight: 2,
    arbitrary: again.map(({ index, answer }) =>
      step(`complete while ${index} is delivered again, ${answer}`, (world) =>
        world.worker.complete({ batch: "ok", single: "ok" }, () => world.deliver(index, answer)),
      ),
    ),
  },
  { weight: 1, arbitrary: always("late requests arrive", ({ hubspot }) => hubspot.landLate()) },
  {
    weight: 1,
    arbitrary: callback.map((index) =>
      step(`enrollments of contact ${index} end`, (world) => endEnrollments(world, index)),
    ),
  },
  { weight: 2, arbitrary: always("ten seconds pass", (world) => world.passSeconds(10)) },
  { weight: 4, arbitrary: always("time passes", (world) => world.passTime()) },
  { weight: 1, arbitrary: callback.map(deadlinePasses) },
  { weight: 1, arbitrary: always("the grant is revoked", (world) => world.setConnected(false)) },
  { weight: 3, arbitrary: always("the app is installed again", (world) => world.setConnected(true)) },
);
