import type { Response } from "express";
import { sendCsv } from "#web/kit/send-csv.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { contactUrl, type FixPlaces } from "../words/fixes.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";
import type { ExecutionSearch } from "#domain/history/execution-search.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

export interface ExportOptions {
  readonly search: ExecutionSearch;
  readonly portalId: PortalId;
  /** Origin of the account's HubSpot UI. */
  readonly hubspotUrl: string;
  /** IANA name; times are given in UTC and in this zone. */
  readonly timeZone: string;
  readonly now: Date;
  /** Notes that the rows are given out. */
  readonly record: <Row>(rows: AsyncIterable<Row>) => Promise<AsyncIterable<Row>>;
}

/** Rows in memory at a time, however long the export, and turned into items in one go. */
const CHUNK = 250;

/**
 * Streams what the search finds as CSV, newest first: read in pages by key, so that no transaction stays open, and no
 * faster than the browser takes it.
 *
 * @returns once all was sent, or the browser has gone.
 */
export async function sendExport(response: Response, options: ExportOptions): Promise<void> {
  const day = options.now.toISOString().slice(0, 10);
  await sendCsv(response, {
    name: `sequence-enroller-${options.portalId}-${day}.csv`,
    columns: columnsOf(options),
    rows: await options.record(items(options)),
  });
}

async function* items({
  search,
  timeZone,
  portalId,
  hubspotUrl,
}: ExportOptions): AsyncGenerator<Record<string, string>> {
  const local = localTime(timeZone);
  const places = { portalId, hubspotUrl };
  for (let before: ExecutionId | undefined, isEnd = false; !isEnd;) {
    const page = await search.read(before === undefined ? {} : { before }, CHUNK);
    for (const item of page.items) yield toRecord(item, { local, places });
    before = page.olderThan;
    isEnd = before === undefined;
  }
}

function columnsOf({ timeZone }: ExportOptions): { key: string; header: string }[] {
  const named = (key: string) => ({ key, header: key });
  return [
    ...["id", "kind", "accepted_at_utc"].map(named),
    { key: "accepted_at_local", header: `accepted_at (${timeZone})` },
    ...[
      "contact_id",
      "contact_email",
      "workflow_id",
      "workflow",
      "sequence_id",
      "sequence",
      "sender_user_id",
      "sender_email",
      "status",
      "error_code",
      "error_message",
      "attempts",
      "enrolled_at_utc",
      "decided_at_utc",
      "completed_at_utc",
      "retry_of",
      "contact_name",
      "status_label",
      "reason",
      "contact_url",
    ].map(named),
  ];
}

function reasonIn(code: string | null): string {
  if (code === null) return "";
  return Object.hasOwn(CODE_WORDS, code) ? CODE_WORDS[code as ErrorCode] : code;
}

const contactIsIn = ({ contactId }: ExecutionItem): boolean =>
  contactId !== ERASED_CONTACT && contactId !== UNKNOWN_CONTACT;

interface Shown {
  readonly local: (date: Date) => string;
  readonly places: FixPlaces;
}

function toRecord(item: ExecutionItem, { local, places }: Shown): Record<string, string> {
  const utc = (date: Date | null) => date?.toISOString() ?? "";
  return {
    id: String(item.id),
    kind: item.kind,
    accepted_at_utc: utc(item.acceptedAt),
    accepted_at_local: local(item.acceptedAt),
    contact_id: item.contactId,
    contact_email: item.contactEmail ?? "",
    workflow_id: item.workflowId ?? "",
    workflow: item.workflowName ?? "",
    sequence_id: item.sequenceId ?? "",
    sequence: item.sequence ?? "",
    sender_user_id: item.senderUserId ?? "",
    sender_email: item.senderEmail ?? "",
    status: item.outcome,
    error_code: item.errorCode ?? "",
    error_message: item.errorMessage ?? "",
    attempts: String(item.attempts),
    enrolled_at_utc: utc(item.enrolledAt),
    decided_at_utc: utc(item.decidedAt),
    completed_at_utc: utc(item.completedAt),
    retry_of: item.retryOf === null ? "" : String(item.retryOf),
    contact_name: item.contactName ?? "",
    status_label: OUTCOME_LABELS[item.outcome],
    reason: reasonIn(item.errorCode),
    contact_url: contactIsIn(item) ? contactUrl(places, item.contactId) : "",
  };
}

/** "2026-11-21 10:30:00", which spreadsheets read as a time. */
function localTime(timeZone: string): (date: Date) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (date) => format.format(date);
}
