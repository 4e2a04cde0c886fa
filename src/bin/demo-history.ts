import type { Database } from "#platform/db/client.js";
import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { EnrollmentEnd, SimulatedContact, SimulatedUser } from "../simulator/portal/model.js";
import type { SimulatedPortal } from "../simulator/portal.js";
import type { DemoPolicy } from "./demo-policy.js";
import { workflowIdOf, type DemoFlowName } from "./demo-flows.js";

/** The history ends a day and a half ago: it takes no place under anybody's cap of today. */
const DAYS = { from: 15, to: 1.5 } as const;
const EVERY_MINUTES = 34;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One contact that one of the workflows sent in the last weeks, as HubSpot and the app both remember it. */
interface PastEnrollment {
  readonly flow: DemoFlowName;
  readonly contact: SimulatedContact;
  readonly sender: SimulatedUser;
  readonly at: Date;
  readonly isEnrolled: boolean;
  readonly code: ErrorCode | null;
  readonly end: { readonly how: EnrollmentEnd; readonly at: Date } | null;
  readonly done: Readonly<Partial<Record<"opened" | "clicked" | "meeting", Date>>>;
}

/** Between 0 and 1, the same on each run: the demo's table and pictures do not change by chance. */
const dice = (index: number, salt: number): number => ((index * 7_919 + salt * 104_729) % 1_009) / 1_009;

/** On working days between 9 and 17 o'clock by UTC-5, and each a contact that exists nowhere else in the demo. */
function times(nowMs: number): Date[] {
  const all: Date[] = [];
  for (let ms = nowMs - DAYS.from * DAY_MS; ms < nowMs - DAYS.to * DAY_MS; ms += EVERY_MINUTES * 60_000) {
    const local = new Date(ms - 5 * HOUR_MS);
    const isWorkday = ![0, 6].includes(local.getUTCDay());
    if (isWorkday && local.getUTCHours() >= 9 && local.getUTCHours() < 17) all.push(new Date(ms));
  }
  return all.flatMap((at) => [at, new Date(at.getTime() + 7 * 60_000)]);
}

function endOf(index: number, at: Date, nowMs: number): PastEnrollment["end"] {
  const roll = dice(index, 1);
  const how = roll < 0.24 ? "replied" : roll < 0.82 ? "finished" : "unenrolled";
  const days = how === "finished" ? 8 : 1 + 5 * dice(index, 2);
  const endsAt = new Date(at.getTime() + days * DAY_MS);
  return endsAt.getTime() < nowMs - HOUR_MS ? { how, at: endsAt } : null;
}

function doneBy(index: number, at: Date, end: PastEnrollment["end"]): PastEnrollment["done"] {
  const latest = end?.at.getTime() ?? at.getTime() + DAY_MS;
  const during = (share: number) => new Date(at.getTime() + share * (latest - at.getTime()));
  return {
    ...(dice(index, 3) < 0.62 ? { opened: during(0.3) } : {}),
    ...(dice(index, 3) < 0.17 ? { clicked: during(0.4) } : {}),
    ...(end?.how === "replied" && dice(index, 4) < 0.4 ? { meeting: during(0.9) } : {}),
  };
}

const REFUSALS: readonly ErrorCode[] = ["UNSUBSCRIBED", "OWNER_MISSING", "BOUNCED", "INBOX_NOT_CONNECTED"];

/** What HubSpot remembers of the last two weeks: contacts, their enrollments, and what their properties show. */
export function playHistory(portal: SimulatedPortal, sequenceId: string): PastEnrollment[] {
  const nowMs = Date.now();
  const senders = portal.senders;
  const sequenceName = portal.sequences.get(sequenceId)?.name ?? "";
  return times(nowMs).map((at, index): PastEnrollment => {
    const sender = senders[index % senders.length] as SimulatedUser;
    const owner = portal.ownerOfUser(sender.userId);
    const contact = portal.addContact({ properties: { hubspot_owner_id: owner.ownerId } });
    const isEnrolled = dice(index, 5) < 0.88;
    const code = isEnrolled ? null : (REFUSALS[index % REFUSALS.length] ?? null);
    const end = isEnrolled ? endOf(index, at, nowMs) : null;
    const done = isEnrolled ? doneBy(index, at, end) : {};
    const past = { flow: flowOf(index), contact, sender, at, isEnrolled, code, end, done };
    if (isEnrolled) enrollInSimulator(portal, past, { sequenceId, sequenceName });
    return past;
  });
}

const flowOf = (index: number): DemoFlowName => (index % 3 === 0 ? "Inbound" : "Outbound");

function enrollInSimulator(
  portal: SimulatedPortal,
  { contact, sender, at, end, done }: PastEnrollment,
  sequence: { sequenceId: string; sequenceName: string },
): void {
  portal.putInSequence({
    ...sequence,
    contactId: contact.id,
    userId: sender.userId,
    senderEmail: sender.email,
    senderAliasAddress: undefined,
    toEmail: contact.properties["email"] ?? "",
    enrolledAtMs: at.getTime(),
  });
  for (const [what, doneAt] of Object.entries(done) as ["opened" | "clicked" | "meeting", Date][])
    portal.recordEngagement(contact.id, what, doneAt.getTime());
  if (end !== null) portal.endEnrollment(contact.id, end.how, end.at.getTime());
}

const STORE = `
  WITH past AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS row (
      number int, workflow text, contact text, email text, sender bigint, sender_email text, at timestamptz, is_enrolled boolean, code text,
      message text, outcome text, ended_at timestamptz, request jsonb, opened timestamptz, clicked timestamptz, meeting timestamptz)
  ), stored AS (
    INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, contact_email, workflow_id,
           sequence_id, sequence_name, request, attempts, first_attempt_at, sender_user_id, sender_email, execution_state,
           enrollment_status, error_code, error_message, enrollment_id, enrolled_at, decided_at, completion_tries, completed_at)
    SELECT $1::bigint, 'ap-history-' || number, 'ENROLL', 'COMPLETED', at - interval '2 seconds', at, at + interval '6 days', contact, email, workflow,
           $3, $4, request, 1, at, sender, sender_email,
           CASE WHEN is_enrolled THEN 'SUCCESS' ELSE 'FAIL_CONTINUE' END, CASE WHEN is_enrolled THEN 'ENROLLED' ELSE 'FAILED' END, code,
           message, CASE WHEN is_enrolled THEN (50000000 + number)::text END, CASE WHEN is_enrolled THEN at END,
           at + interval '1 second', 1, at + interval '2 seconds'
      FROM past ORDER BY number
    RETURNING *
  )
  INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at, next_look_at,
         looked_at, shown_enrolled_at, outcome, ended_at, noted_at, opened_at, clicked_at, replied_at, meeting_at)
  SELECT portal_id, id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at,
         CASE WHEN outcome IS NULL THEN now() + interval '40 minutes' END, coalesce(ended_at + interval '20 minutes', now() - interval '20 minutes'),
         enrolled_at, outcome, ended_at, ended_at + interval '20 minutes', opened, clicked, CASE WHEN outcome = 'REPLIED' THEN ended_at END, meeting
    FROM stored JOIN past ON callback_id = 'ap-history-' || number WHERE is_enrolled`;

/** As the action's call is stored. */
function requestOf({ properties }: SimulatedContact, presetId: string) {
  const { email, firstname, lastname } = properties;
  return { senderMode: "contact_owner", presetId, properties: { email, firstname, lastname } };
}

/** What the app remembers of the same: as it would stand in its tables had it run all the while. */
export async function storeHistory(
  { pool }: Database,
  { portal, sequenceId, policy }: { portal: SimulatedPortal; sequenceId: string; policy: DemoPolicy },
  history: readonly PastEnrollment[],
): Promise<void> {
  const rows = history.map(({ flow, contact, sender, at, isEnrolled, code, end, done }, number) => ({
    number,
    workflow: workflowIdOf(portal, flow).workflowId,
    contact: contact.id,
    email: contact.properties["email"],
    request: requestOf(contact, policy[flow === "Outbound" ? "outboundPresetId" : "inboundPresetId"]),
    sender: isEnrolled ? sender.userId : null,
    sender_email: isEnrolled ? sender.email : null,
    at,
    is_enrolled: isEnrolled,
    code,
    message: code === null ? null : ERROR_SENTENCES[code],
    outcome: end?.how.toUpperCase() ?? null,
    ended_at: end?.at ?? null,
    ...done,
  }));
  const sequenceName = portal.sequences.get(sequenceId)?.name;
  await pool.query(STORE, [portal.portalId, JSON.stringify(rows), sequenceId, sequenceName]);
}
