import { z } from "zod";

/**
 * The parts of the API's answers that the command line reads. Other fields are kept as they come, so that `--json` shows
 * all of an answer, also of a newer app.
 */
const reason = z.looseObject({ code: z.string(), message: z.string().nullish() });

export const problem = z.looseObject({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  requestId: z.string().optional(),
  errors: z
    .array(
      z.looseObject({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
    )
    .optional(),
});
export type Problem = z.infer<typeof problem>;

export const enrollment = z.looseObject({
  id: z.string(),
  status: z.string(),
  source: z.string().nullish(),
  reason: reason.nullish(),
  contact: z.looseObject({ id: z.string().nullish(), email: z.string().nullish() }).nullish(),
  sequence: z.looseObject({ id: z.string().nullish(), name: z.string().nullish() }).nullish(),
  sender: z
    .looseObject({ userId: z.string().nullish(), name: z.string().nullish(), email: z.string().nullish() })
    .nullish(),
  workflowId: z.string().nullish(),
  importId: z.string().nullish(),
  reference: z.string().nullish(),
  hubspotEnrollmentId: z.string().nullish(),
  createdAt: z.string().nullish(),
  updatedAt: z.string().nullish(),
  enrolledAt: z.string().nullish(),
  dueAt: z.string().nullish(),
  ended: z.looseObject({ at: z.string().nullish(), outcome: z.string() }).nullish(),
});
export type Enrollment = z.infer<typeof enrollment>;

/** A page of a list; `after` leads to the next one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.looseObject({
    results: z.array(item),
    paging: z.looseObject({ next: z.looseObject({ after: z.string() }).nullish() }).nullish(),
  });
}

export const sequence = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  folder: z.unknown(),
  updatedAt: z.string().nullish(),
});

export const sender = z.looseObject({
  userId: z.string().nullish(),
  name: z.string().nullish(),
  email: z.string().nullish(),
  cap: z.number().nullish(),
  used: z.number().nullish(),
  problem: reason.nullish(),
});

const count = z.number().int().nonnegative();

export const importCounts = z.looseObject({
  rows: count.default(0),
  handled: count.default(0),
  enrolled: count.default(0),
  alreadyEnrolled: count.default(0),
  skipped: count.default(0),
  failed: count.default(0),
  waiting: count.default(0),
  invalid: count.default(0),
  duplicate: count.default(0),
  reasons: z.record(z.string(), count).nullish(),
});

export const importJob = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  columns: z.array(z.string()).nullish(),
  mapping: z.record(z.string(), z.string().nullable()).nullish(),
  defaults: z.record(z.string(), z.unknown()).nullish(),
  counts: importCounts,
  reasons: z.record(z.string(), count).nullish(),
  problem: reason.nullish(),
  close: z
    .looseObject({
      statuses: z.array(z.looseObject({ status: z.string(), subscriptions: count, isChosen: z.boolean() })),
      sequences: z.array(
        z.looseObject({
          id: z.string(),
          name: z.string(),
          subscriptions: count,
          sequenceId: z.string().nullish(),
        }),
      ),
      senders: z.array(
        z.looseObject({ email: z.string(), subscriptions: count, userId: z.string().nullish() }),
      ),
    })
    .nullish(),
});
export type ImportJob = z.infer<typeof importJob>;

const countsBy = z.record(z.string(), count);
const counted = z.looseObject({
  total: count,
  statuses: countsBy,
  reasons: countsBy,
  timeToEnroll: z.looseObject({ medianMs: count, p95Ms: count }).nullish(),
  ends: countsBy,
});
const statsLine = counted.extend({ id: z.string().nullish(), name: z.string().nullish() });
export type StatsLine = z.infer<typeof statsLine>;

export const statsAnswer = z.looseObject({ by: z.string(), results: z.array(statsLine), total: counted });

/** Whatever JSON object the app answers with, to be shown as it is. */
export const anything = z.looseObject({});
