import { z } from "zod";
import { readStats, STATS_KEYS, STATS_STATES } from "#domain/enrollments/enrollment-stats.js";
import { readPeriod } from "#domain/enrollments/stats-period.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { timeField } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";

const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .refine((text) => /^(19[7-9]|[2-8]\d\d|9[0-8]\d)/.test(text) && !Number.isNaN(Date.parse(text)), {
    message: "must be a date or a time between 1970 and 9899",
  });

const count = z.int().nonnegative();
const counts = z.object({
  total: count,
  statuses: z.record(z.enum(STATS_STATES), count),
  reasons: z.record(z.string(), count).describe("By code."),
  timeToEnroll: z
    .object({ medianMs: count, p95Ms: count })
    .nullable()
    .describe("From acceptance to the enrollment; null if nobody was enrolled."),
  ends: z
    .object({ FINISHED: count, REPLIED: count, UNENROLLED: count })
    .describe("How those that were enrolled in the period ended, where it is known."),
});

/** `GET /stats`. */
export function createReadStats(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/stats",
    operationId: "getStats",
    tag: "Enrollments",
    scope: "enrollments:read",
    summary: "Count what became of enrollments",
    description:
      "Counts what was decided in the period, each retry too: by day in their order, otherwise the largest first. A date begins and ends at midnight in the " +
      "account's time zone, and `to` includes its day. Of more than 200,000 decisions the newest are counted: `from` of the answer says since when.",
    query: z.strictObject({
      from: moment.optional().describe("A date or a time; by default 30 days before `to`."),
      to: moment.optional().describe("A date, which is included, or a time, which is not; by default now."),
      by: z.enum(STATS_KEYS).default("day"),
    }),
    answers: {
      200: {
        description: "The counts, and their total.",
        schema: z.object({
          from: timeField,
          to: timeField,
          by: z.enum(STATS_KEYS),
          results: z.array(
            z.object({
              id: z
                .string()
                .nullable()
                .describe(
                  "A day, an id or a source; null: what has none, as what was enrolled by no workflow.",
                ),
              name: z.string().nullable(),
              ...counts.shape,
            }),
          ),
          total: counts,
        }),
      },
    },
    handle: async ({ actor: { portalId }, database: { pool }, query }) => {
      const { by, ...asked } = query;
      const period = await readPeriod(pool, portalId, asked);
      if (period.from >= period.to)
        return refusal("INVALID_REQUEST", { errors: [{ parameter: "from", detail: "must be before to" }] });
      const { from, lines: results, total } = await readStats(pool, portalId, { period, by });
      const times = { from: from.toISOString(), to: period.to.toISOString() };
      return { status: 200, body: { ...times, by, results, total } };
    },
  });
}
