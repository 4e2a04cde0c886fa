import { z } from "zod";
import { listAllowedSenders, type AllowedSender } from "#domain/policy/list-senders.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { afterParameter, limitParameter, pageSchema, timeField } from "#web/api/kit/fields.js";
import { readCursor, wrongCursor, writeCursor } from "#web/api/kit/cursor.js";

const clockTime = z.string().regex(/^\d\d:\d\d$/);

const senderAnswer = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  cap: z.int().describe("Enrollments in any 24 hours."),
  used: z.int().describe("Enrollments in the last 24 hours."),
  window: z
    .object({
      days: z.array(z.int()).describe("1 is Monday, 7 is Sunday."),
      start: clockTime,
      end: clockTime.describe("24:00 is midnight."),
      timeZone: z.string(),
    })
    .nullable()
    .describe("When this sender may send; null: at any time."),
  problem: z
    .object({ code: z.string(), message: z.string(), until: timeField.nullable() })
    .nullable()
    .describe("Why this sender cannot send now, and until when where only time is in the way."),
});

const place = z.object({ label: z.string(), userId: z.string().regex(/^\d{1,18}$/) });

/** `GET /senders`: who may send. */
export function createListSenders(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/senders",
    operationId: "listSenders",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "List who may send",
    description: "By name. Deactivated people, and those whom the account does not let send, are left out.",
    query: z.strictObject({ limit: limitParameter(200, 100), after: afterParameter }),
    answers: { 200: { description: "A page of senders.", schema: pageSchema(senderAnswer) } },
    handle: async ({ actor, database, query: { limit, after: cursor } }) => {
      const after = cursor === undefined ? undefined : readCursor(place, cursor);
      if (cursor !== undefined && after === undefined) return wrongCursor();
      const { senders, next } = await listAllowedSenders(database.pool, actor.portalId, { limit, after });
      const paging = next && { next: { after: writeCursor(next) } };
      return { status: 200, body: { results: senders.map(shown), paging } };
    },
  });
}

function shown({ userId, label: name, window, timeZone, problem, ...sender }: AllowedSender) {
  const { email, cap, used } = sender;
  return {
    userId: userId.toString(),
    name,
    email,
    cap,
    used,
    window:
      window === undefined
        ? null
        : {
            days: window.days,
            start: clockOf(window.startMinute),
            end: clockOf(window.endMinute),
            timeZone,
          },
    problem: problem && { ...problem, until: problem.until?.toISOString() ?? null },
  };
}

function clockOf(minute: number): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
