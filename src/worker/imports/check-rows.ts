import { noteForeseen, type ForeseenRow, type ImportKey } from "#domain/imports/advance-import.js";
import type { Import } from "#domain/imports/import.js";
import { readPendingRows, type PendingRow } from "#domain/imports/pending-rows.js";
import type { NamedVerdict } from "#domain/dry-run/explain-many.js";
import { requestsOf, type RowRefusal, type RowRequest } from "#domain/imports/row-request.js";
import type { EnrollQuestion, RequestedSender } from "#domain/senders/explanation.js";
import type { ImportTools } from "./import-tools.js";

/** Contacts that HubSpot reads in one request. */
const SLICE = 100;

/** Tries the next rows with the code that enrolls, and counts what would happen to them. True: there are more. */
export async function checkRows(
  { pool, explainMany }: Pick<ImportTools, "pool" | "explainMany">,
  key: ImportKey,
  found: Import,
): Promise<boolean> {
  const after = found.checkedRows;
  const rows = await readPendingRows(pool, key, {
    after,
    limit: SLICE,
    choices: found.source === "CLOSE" ? found.choices : undefined,
  });
  const requests = await requestsOf(pool, key.portalId, { source: found, rows });
  const asked = requests.filter((request) => request.kind === "request");
  const verdicts = await explainMany(key.portalId, asked.map(toQuestion));
  const byRequest = new Map(asked.map((request, index) => [request, verdicts[index]]));
  const foreseen = rows.map((row, index) => foreseenOf(row, requests[index], byRequest));
  const upTo = rows.at(-1)?.number ?? found.rowCount;
  return noteForeseen(pool, key, { after, upTo, rows: foreseen });
}

function toQuestion({ contact, sequenceId, request }: RowRequest): EnrollQuestion {
  const { presetId, ifAlreadyEnrolled, cooldownDays, notBefore, senderAlias } = request;
  return {
    contact,
    sequenceId,
    presetId: presetId === undefined ? null : BigInt(presetId),
    sender: toSender(request),
    ...(ifAlreadyEnrolled === undefined ? {} : { ifAlreadyEnrolled }),
    ...(cooldownDays === undefined ? {} : { cooldownDays }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
  };
}

function toSender({ senderMode, senderUserId, rotationId }: RowRequest["request"]): RequestedSender {
  switch (senderMode) {
    case "specific_user":
      return { mode: senderMode, userId: BigInt(senderUserId ?? 0) };
    case "rotation":
      return { mode: senderMode, rotationId: BigInt(rotationId ?? 0) };
    default:
      return { mode: senderMode };
  }
}

type Verdicts = ReadonlyMap<RowRequest, NamedVerdict | undefined>;

function foreseenOf(
  { number, result, reasonCode }: PendingRow,
  request: RowRequest | RowRefusal | undefined,
  verdicts: Verdicts,
): ForeseenRow {
  const refused = { number, contactId: null };
  if (result !== null) return { ...refused, result, reasonCode };
  if (request === undefined || request.kind === "refusal")
    return { ...refused, result: request?.result ?? "INVALID", reasonCode: request?.code ?? null };
  const verdict = verdicts.get(request);
  if (verdict === undefined) return { ...refused, result: "FAILED", reasonCode: "CONTACT_NOT_FOUND" };
  return { number, contactId: verdict.contactId, ...outcomeOf(verdict) };
}

function outcomeOf(verdict: NamedVerdict): Pick<ForeseenRow, "result" | "reasonCode"> {
  const { decision } = verdict;
  const code = verdict.code ?? null;
  if (decision === "enroll") return { result: "ENROLLED", reasonCode: null };
  if (decision === "wait") return { result: "WAITING", reasonCode: code };
  if (code === "ALREADY_ENROLLED") return { result: "ALREADY_ENROLLED", reasonCode: code };
  const isPolicy = code === "COOLDOWN_ACTIVE" || code === "BLOCKED";
  return { result: isPolicy ? "SKIPPED" : "FAILED", reasonCode: code };
}
