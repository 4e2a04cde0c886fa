import { readCourse, type EnrollmentCourse } from "#domain/ends/known-ends.js";
import { findPeopleByIds, fullLabel } from "#domain/directory/people.js";
import type { Pool } from "pg";
import { z } from "zod";
import { ELIGIBLE, type AdminAction } from "./admin-actions.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import {
  findEndable,
  readUnenrollmentStory,
  type EndableEnrollment,
  type UnenrollmentStory,
} from "#domain/unenroll/unenrollment-story.js";
import { senderChoiceSchema, type StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { EXECUTION_COLUMNS, orNull, toItem, type ExecutionItem, type ItemRow } from "./execution-item.js";

/** Everything stored about one execution that its page shows. */
export interface ExecutionStory extends ExecutionItem {
  /** The contact's company as HubSpot sent it with the call; null: it sent none. */
  readonly contactCompany: string | null;
  readonly callbackId: string;
  readonly isHeld: boolean;
  readonly dueAt: Date;
  readonly deadlineAt: Date;
  readonly holdEndsAt: Date;
  readonly firstAttemptAt: Date | null;
  readonly retries: number;
  readonly crashes: number;
  readonly completionTries: number;
  /** Why HubSpot did not accept the result the last time it was sent. */
  readonly completionProblem: string | null;
  /** The answer to the completion was lost, and later HubSpot no longer held the contact. */
  readonly isTakenOrLetGo: boolean;
  readonly enrollmentId: string | null;
  /** Undefined if none was stored, or it cannot be read. */
  readonly senderChoice: StoredSenderChoice | undefined;
  /** Names of the users in the choice, by id. */
  readonly people: ReadonlyMap<string, string>;
  /** Inputs of the workflow's step, by name; only plain values. */
  readonly inputs: readonly (readonly [name: string, value: string])[];
  readonly outputs: readonly (readonly [name: string, value: string])[];
  /** What happened to the enrollment. Undefined if nobody was enrolled, or if it is not followed (yet). */
  readonly course: EnrollmentCourse | undefined;
  /** The preset it follows; null: the built-in rules, or one that was deleted. */
  readonly preset: { readonly id: string; readonly name: string } | null;
  /** Retries by an admin, oldest first. */
  readonly retriedBy: readonly ExecutionItem[];
  /** The contact's others, newest first; a few at most. */
  readonly others: readonly ExecutionItem[];
  /** What an admin can do now. */
  readonly actions: readonly AdminAction[];
  /** When the admin paused the portal, if it is paused. */
  readonly pausedAt: Date | null;
  /** How it takes its contact out of a sequence, if it does. */
  readonly unenrollment: UnenrollmentStory | null;
  /** Who asked for it on the settings site or with an API key; null: a workflow, or it was not noted. */
  readonly askedBy: string | null;
  /** The sequence that the contact can be taken out of now. */
  readonly endable: EndableEnrollment | undefined;
}

interface StoryRow extends ItemRow {
  callback_id: string;
  is_held: boolean;
  due_at: Date;
  deadline_at: Date;
  hold_ends_at: Date;
  first_attempt_at: Date | null;
  retries: number;
  crashes: number;
  completion_tries: number;
  completion_problem: string | null;
  is_doubted: boolean;
  enrollment_id: string | null;
  sender_choice: unknown;
  request: unknown;
  outputs: unknown;
  can_cancel: boolean;
  can_retry: boolean;
  can_try_now: boolean;
  paused_at: Date | null;
}

/** Undefined if the portal has no such execution. */
export async function readStory(
  pool: Pool,
  portalId: PortalId,
  id: ExecutionId,
): Promise<ExecutionStory | undefined> {
  const [found, retried, course] = await Promise.all([
    pool.query<StoryRow>(
      `SELECT ${EXECUTION_COLUMNS}, page.callback_id, page.is_held, page.due_at, page.deadline_at, page.hold_ends_at,
              page.first_attempt_at, page.retries, page.crashes, page.completion_tries, page.completion_problem,
              page.completion_doubted_at IS NOT NULL AS is_doubted, page.enrollment_id, page.sender_choice,
              page.request, page.outputs, ${ELIGIBLE.CANCEL} AS can_cancel, ${ELIGIBLE.RETRY} AS can_retry,
              ${ELIGIBLE.TRY_NOW} AS can_try_now, (SELECT paused_at FROM portal_settings WHERE portal_id = $1) AS paused_at
         FROM executions AS page WHERE page.portal_id = $1 AND page.id = $2`,
      [portalId, id],
    ),
    pool.query<ItemRow>(
      `SELECT ${EXECUTION_COLUMNS} FROM executions AS page
        WHERE page.portal_id = $1 AND page.retry_of = $2 ORDER BY page.id LIMIT 50`,
      [portalId, id],
    ),
    readCourse(pool, portalId, id),
  ]);
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const retriedBy = retried.rows.map(toItem);
  const told = new Set([id, ...retriedBy.map((retry) => retry.id)]);
  const contactId = row.contact_id;
  const [others, unenrollment, endable] = await Promise.all([
    readOthers(pool, portalId, { contactId, told }),
    readUnenrollmentStory(pool, portalId, id),
    findEndable(pool, portalId, contactId),
  ]);
  const senderChoice = senderChoiceSchema.safeParse(row.sender_choice).data;
  return {
    ...toItem(row),
    contactCompany: companyOf(row.request),
    callbackId: row.callback_id,
    isHeld: row.is_held,
    dueAt: row.due_at,
    deadlineAt: row.deadline_at,
    holdEndsAt: row.hold_ends_at,
    firstAttemptAt: row.first_attempt_at,
    retries: row.retries,
    crashes: row.crashes,
    completionTries: row.completion_tries,
    completionProblem: orNull(row.completion_problem),
    isTakenOrLetGo: row.state === "COMPLETED" && row.is_doubted,
    enrollmentId: row.enrollment_id,
    senderChoice,
    people: await nameUsers(pool, portalId, userIdsIn(senderChoice)),
    inputs: plainEntries(row.request),
    outputs: plainEntries(row.outputs),
    course,
    preset: await readPreset(pool, portalId, row.request),
    retriedBy,
    others,
    actions: actionsOf(row, retriedBy),
    pausedAt: row.paused_at,
    unenrollment,
    askedBy: askedByOf(row.request),
    endable,
  };
}

const companySchema = z.object({ properties: z.object({ company: z.string().trim().min(1) }) });

function companyOf(request: unknown): string | null {
  return companySchema.safeParse(request).data?.properties.company ?? null;
}

const askedBySchema = z.object({ askedBy: z.object({ name: z.string() }) });

function askedByOf(request: unknown): string | null {
  return askedBySchema.safeParse(request).data?.askedBy.name ?? null;
}

/** The one the call names, or the default of the account. */
async function readPreset(
  pool: Pool,
  portalId: PortalId,
  request: unknown,
): Promise<{ id: string; name: string } | null> {
  const named =
    typeof request === "object" && request !== null && "presetId" in request ? request.presetId : null;
  const { rows } = await pool.query<{ id: string; name: string }>({
    name: "story-preset",
    text: `SELECT preset_id::text AS id, name FROM presets
            WHERE portal_id = $1 AND CASE WHEN $2::text IS NULL THEN is_default ELSE preset_id::text = $2 END`,
    values: [portalId, typeof named === "string" ? named : null],
  });
  return rows[0] ?? null;
}

const OTHERS_SHOWN = 10;

async function readOthers(
  pool: Pool,
  portalId: PortalId,
  { contactId, told }: { contactId: string; told: ReadonlySet<ExecutionId> },
): Promise<ExecutionItem[]> {
  if (contactId === ERASED_CONTACT) return [];
  // By the contact's own index: going by its statistics, the planner might otherwise read the whole history, newest
  // first.
  const { rows } = await pool.query<ItemRow>(
    `WITH own AS MATERIALIZED (SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $2 LIMIT 1000)
     SELECT ${EXECUTION_COLUMNS} FROM executions AS page
      WHERE page.portal_id = $1 AND page.id IN (SELECT id FROM own WHERE id <> ALL($3::bigint[]) ORDER BY id DESC LIMIT $4)
      ORDER BY page.id DESC`,
    [portalId, contactId, [...told], OTHERS_SHOWN],
  );
  return rows.map(toItem);
}

function actionsOf(row: StoryRow, retriedBy: readonly ExecutionItem[]): AdminAction[] {
  const isSettled = retriedBy.some(({ outcome }) => outcome === "waiting" || outcome === "enrolled");
  return [
    ...(row.can_try_now ? (["TRY_NOW"] as const) : []),
    ...(row.can_retry && !isSettled ? (["RETRY"] as const) : []),
    ...(row.can_cancel ? (["CANCEL"] as const) : []),
  ];
}

/** Values of a stored object that can be shown as they are; nested values are left out. */
function plainEntries(stored: unknown): [string, string][] {
  if (typeof stored !== "object" || stored === null) return [];
  return Object.entries(stored).flatMap(([name, value]): [string, string][] =>
    ["string", "number", "boolean"].includes(typeof value) && value !== "" ? [[name, String(value)]] : [],
  );
}

function userIdsIn(choice: StoredSenderChoice | undefined): string[] {
  const ids = [choice?.chosen?.userId, ...(choice?.passedOver ?? []).map(({ userId }) => userId)];
  return ids.filter((id): id is string => id !== undefined && /^\d{1,18}$/.test(id));
}

async function nameUsers(
  pool: Pool,
  portalId: PortalId,
  userIds: readonly string[],
): Promise<Map<string, string>> {
  const people = await findPeopleByIds(pool, portalId, userIds.map(BigInt));
  return new Map([...people].map(([userId, person]) => [String(userId), fullLabel(person)]));
}
