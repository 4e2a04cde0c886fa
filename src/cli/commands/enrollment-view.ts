import type { Enrollment } from "../api/answers.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Output } from "../terminal/output.js";
import { drawFields } from "../terminal/table.js";

/** Statuses that nothing will change anymore, each with how a run ends that led to it. */
const ENDS: Readonly<Record<string, ExitCode>> = {
  ENROLLED: EXIT.done,
  ALREADY_ENROLLED: EXIT.done,
  SKIPPED: EXIT.failed,
  FAILED: EXIT.failed,
  CANCELLED: EXIT.failed,
};

export function isDecided({ status }: Enrollment): boolean {
  return Object.hasOwn(ENDS, status);
}

/** 0 also for an enrollment that is still under way: nothing has failed. */
export function exitCodeOf({ status }: Enrollment): ExitCode {
  return ENDS[status] ?? EXIT.done;
}

export async function showEnrollment(output: Output, found: Enrollment): Promise<void> {
  if (output.isJson) return output.json(found);
  await output.text(
    drawFields([
      ["id", found.id],
      ["status", found.status],
      ["reason", found.reason && `${found.reason.code}: ${found.reason.message ?? ""}`],
      ["contact", [found.contact?.email, found.contact?.id].filter(Boolean).join(" · ")],
      ["sequence", [found.sequence?.name, found.sequence?.id].filter(Boolean).join(" · ")],
      ["sender", [found.sender?.name, found.sender?.email].filter(Boolean).join(" · ")],
      ["source", found.source],
      ["reference", found.reference],
      ["created", found.createdAt],
      ["enrolled", found.enrolledAt],
      ["not before", found.dueAt],
      ["ended", found.ended && `${found.ended.outcome} ${found.ended.at ?? ""}`],
    ]),
  );
}

/** "2026-11-27 09:30" for a list; whatever is no time of the API's stays as it is. */
export function shortTime(time: string | null | undefined): string {
  const [, day, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/.exec(time ?? "") ?? [];
  return day === undefined ? (time ?? "") : `${day} ${clock}`;
}

/** "FAILED BOUNCED": in one column, the reason is what is cut on a narrow terminal, and not the status. */
function statusOf({ status, reason }: Enrollment): string {
  return reason == null || reason.code === status ? status : `${status} ${reason.code}`;
}

/** A page of enrollments: a line of JSON each, or a table of what fits on a line; `status` and JSON have the rest. */
export async function showEnrollments(output: Output, found: readonly Enrollment[]): Promise<void> {
  if (output.isJson) {
    for (const each of found) await output.json(each);
    return;
  }
  const rows = found.map((each) => [
    each.id,
    statusOf(each),
    each.contact?.email ?? each.contact?.id,
    each.sequence?.name ?? each.sequence?.id,
    shortTime(each.createdAt),
  ]);
  const head = ["Id", "Status", "Contact", "Sequence", "Created (UTC)"];
  await output.table(head, rows);
}
