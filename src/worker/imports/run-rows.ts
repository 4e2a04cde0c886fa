import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { readContactsNamed, type ReadContact } from "#domain/dry-run/explain-many.js";
import {
  finishImport,
  acceptRows,
  settleRows,
  type ImportKey,
  type RowStep,
} from "#domain/imports/advance-import.js";
import type { Import } from "#domain/imports/import.js";
import { readPendingRows, type PendingRow } from "#domain/imports/pending-rows.js";
import { requestsOf, type RowRefusal, type RowRequest } from "#domain/imports/row-request.js";
import type { ImportTools } from "./import-tools.js";

/** Contacts that HubSpot reads in one request. */
const SLICE = 100;
/** Executions of one import that may be in line: enough for half a minute at HubSpot's pace. */
const MOST_IN_LINE = 400;
/**
 * With this many in line the portal's owner is called. While it works it leaves imports next to no requests. If HubSpot has
 * few of the contacts, more rows are read until then, or until a sweep finds what is in line (every 2 s).
 */
const WORTH_A_CALL = 100;

/** Hands over the next rows to be enrolled, as long as the line is short. True: there is more to do at once. */
export async function runRows(
  tools: Pick<ImportTools, "pool" | "gatewayOf" | "wake" | "traceAccepting">,
  key: ImportKey,
  found: Import,
): Promise<boolean> {
  const { pool, wake } = tools;
  const inLine = await settleRows(pool, key);
  const after = found.handedRows;
  if (after >= found.rowCount) {
    if (inLine === 0) await finishImport(pool, key);
    return false;
  }
  if (inLine >= MOST_IN_LINE) return false;
  const rows = await readPendingRows(pool, key, {
    after,
    limit: SLICE,
    choices: found.source === "CLOSE" ? found.choices : undefined,
  });
  const handed = await tools.traceAccepting("import", key.portalId, (traceparent) =>
    acceptSlice(tools, key, { found, rows, traceparent }),
  );
  if (handed === undefined) return false;
  const isLast = (rows.at(-1)?.number ?? found.rowCount) >= found.rowCount;
  if (isLast || inLine + handed >= WORTH_A_CALL) wake(key.portalId);
  return true;
}

/**
 * Reads the contacts that the rows name, and stores what is to be enrolled.
 *
 * @returns how many are in line now that were not before; undefined: another process did it.
 */
async function acceptSlice(
  { pool, gatewayOf }: Pick<ImportTools, "pool" | "gatewayOf">,
  key: ImportKey,
  slice: {
    readonly found: Import;
    readonly rows: readonly PendingRow[];
    readonly traceparent: string | undefined;
  },
): Promise<number | undefined> {
  const { found, rows, traceparent } = slice;
  const requests = await requestsOf(pool, key.portalId, { source: found, rows });
  const named = requests.flatMap((request) => (request.kind === "request" ? [request.contact] : []));
  const contacts = await readContactsNamed(gatewayOf(key.portalId), { named, names: REQUESTED_PROPERTIES });
  const steps = rows.map((row, index) =>
    stepOf(key, row, { request: requests[index], contacts, traceparent }),
  );
  const isDone = await acceptRows(pool, key, { after: found.handedRows, steps });
  return isDone ? steps.filter((step) => "enrollment" in step).length : undefined;
}

function stepOf(
  { importId }: ImportKey,
  { number, result, contactKey }: PendingRow,
  {
    request,
    contacts,
    traceparent,
  }: {
    request: RowRequest | RowRefusal | undefined;
    contacts: ReadonlyMap<string, ReadContact>;
    traceparent: string | undefined;
  },
): RowStep {
  if (result !== null || request === undefined) return { number, contactId: null, isSettled: true };
  if (request.kind === "refusal")
    return {
      number,
      contactId: contacts.get(contactKey ?? "")?.id ?? null,
      result: request.result,
      reasonCode: request.code,
      reason: request.reason,
    };
  const contact = contacts.get(request.contact);
  if (contact === undefined) {
    const reason = ERROR_SENTENCES.CONTACT_NOT_FOUND;
    return { number, contactId: null, result: "FAILED", reasonCode: "CONTACT_NOT_FOUND", reason };
  }
  const properties = Object.fromEntries(
    REQUESTED_PROPERTIES.map((name) => [name, contact.properties[name] ?? null]),
  );
  return {
    number,
    contactId: contact.id,
    enrollment: {
      callbackId: `import:${importId}:${number}`,
      contactId: contact.id,
      contactEmail: contact.properties["email"] ?? null,
      sequenceId: request.sequenceId,
      request: { ...request.request, properties, ...(traceparent !== undefined && { traceparent }) },
      reference: request.reference,
      notBefore: request.notBefore,
    },
  };
}
