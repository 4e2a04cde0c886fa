import type { Ownership } from "../executions/claim.js";
import {
  readOwedCompletions,
  writeCompletionResults,
  type CompletionResult,
  type OwedCompletion,
} from "../executions/completions.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotError,
  HubSpotRejected,
  HubSpotUnavailable,
} from "../hubspot/errors.js";
import type { PortalGateway } from "../hubspot/gateway.js";
import { backoffMs } from "../queue/backoff.js";

/** HubSpot's batch limit is unpublished; 100 is its convention (dossier §3.6). */
export const COMPLETION_BATCH = 100;
const RETRY = { baseMs: 1_000, capMs: 10 * 60_000 };
const PARKED_MS = 60_000;

/** 400 and 404 are HubSpot's word on a callback: unknown, expired or completed before (dossier §3.6). */
function isRefusal(fault: unknown): fault is HubSpotRejected {
  return fault instanceof HubSpotRejected && (fault.httpStatus === 400 || fault.httpStatus === 404);
}

/** The grant or its scopes: each callback by itself would be refused as well. */
const CONCERNS_ALL: readonly number[] = [401, 403];

function retryDelayMs(fault: HubSpotError, tries: number): number {
  if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) return PARKED_MS;
  const askedMs = fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
  return Math.max(askedMs, backoffMs(tries + 1, RETRY));
}

function afterFault(completion: OwedCompletion, fault: HubSpotError): CompletionResult {
  const { id, tries } = completion;
  if (completion.holdEndsAt.getTime() <= Date.now())
    return { id, to: "COMPLETION_ABANDONED", problem: fault.message };
  return { id, to: "DECIDED", delayMs: retryDelayMs(fault, tries), problem: fault.message };
}

async function sendOne(completion: OwedCompletion, gateway: PortalGateway): Promise<CompletionResult> {
  try {
    await gateway.completeOne(completion);
    return { id: completion.id, to: "COMPLETED" };
  } catch (fault) {
    if (isRefusal(fault)) return { id: completion.id, to: "COMPLETION_REFUSED", problem: fault.message };
    if (fault instanceof HubSpotError) return afterFault(completion, fault);
    throw fault;
  }
}

/** Results of the whole batch; undefined where HubSpot refused it for what may be one bad callback. */
async function sendBatch(
  batch: readonly OwedCompletion[],
  gateway: PortalGateway,
): Promise<CompletionResult[] | undefined> {
  try {
    await gateway.completeBatch(batch);
    return batch.map(({ id }) => ({ id, to: "COMPLETED" }));
  } catch (fault) {
    if (fault instanceof HubSpotRejected && !CONCERNS_ALL.includes(fault.httpStatus)) return undefined;
    if (fault instanceof HubSpotError) return batch.map((completion) => afterFault(completion, fault));
    throw fault;
  }
}

/** Written down every so many: what a crash, or a lost lease, makes us send again stays small. */
const SINGLES_AT_ONCE = 10;

async function sendSingles(
  owner: Ownership,
  batch: readonly OwedCompletion[],
  gateway: PortalGateway,
): Promise<void> {
  for (let start = 0; start < batch.length; start += SINGLES_AT_ONCE) {
    const group = batch.slice(start, start + SINGLES_AT_ONCE);
    const sent = await Promise.allSettled(group.map((completion) => sendOne(completion, gateway)));
    const results = sent.filter((one) => one.status === "fulfilled").map(({ value }) => value);
    await writeCompletionResults(owner, results);
    const failure = sent.find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
}

/** An admin's retry ends with us: nothing is sent for it. */
async function endUnheld(owner: Ownership, decided: readonly OwedCompletion[]): Promise<void> {
  const unheld = decided.filter(({ isHeld }) => !isHeld);
  await writeCompletionResults(
    owner,
    unheld.map(({ id }) => ({ id, to: "COMPLETED" })),
  );
}

/**
 * Hands HubSpot one batch of the completions it is owed. A refused batch is sent one by one: whether one bad callback
 * fails all of it is unpublished (dossier §3.6).
 *
 * @returns how many were decided and due; a full batch means there may be more.
 */
export async function sendCompletions(owner: Ownership, gateway: PortalGateway): Promise<number> {
  const decided = await readOwedCompletions(owner, COMPLETION_BATCH);
  const owed = decided.filter(({ isHeld }) => isHeld);
  if (owed.length < decided.length) await endUnheld(owner, decided);
  if (owed.length === 0) return decided.length;
  const results = await sendBatch(owed, gateway);
  if (results === undefined) await sendSingles(owner, owed, gateway);
  else await writeCompletionResults(owner, results);
  return decided.length;
}
