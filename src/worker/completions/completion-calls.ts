import type { CompletionResult, OwedCompletion } from "#domain/executions/completions.js";
import { hasPassed } from "#domain/executions/time-left.js";
import type { BatchAnswer } from "#platform/hubspot/wire/batch-answer.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotError,
  HubSpotRejected,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { waitAfterMs } from "#platform/hubspot/pace/wait-after.js";

/** Where completions are sent, and where their results are written. */
export interface CompletionChannel {
  readonly gateway: Pick<PortalGateway, "completeBatch" | "completeOne">;
  readonly write: (results: readonly CompletionResult[]) => Promise<void>;
}

/** What an answer says about a batch. */
export interface BatchResult {
  readonly results: readonly CompletionResult[];
  /** Completions whose result the answer leaves open. */
  readonly untold: readonly OwedCompletion[];
  /** HubSpot accepted some of those it did not name, but not others: none of them says anything about another. */
  readonly isMixed: boolean;
}

/**
 * However often it failed, a workflow waits two minutes at most once HubSpot is back: a request carries a hundred
 * completions, and during an outage the portal's circuit spares HubSpot from them.
 */
const LONGEST_RETRY_MS = 2 * 60_000;
const RETRY = { baseMs: 1_000, capMs: LONGEST_RETRY_MS };
/** After a lost answer: HubSpot may have accepted the completions late, or may be about to. */
const DOUBT_RETRY = { baseMs: 6_000, capMs: LONGEST_RETRY_MS };
const PARKED_MS = 60_000;

/** The grant or its scopes are at fault: each single callback would also be refused. */
const CONCERNS_ALL: readonly number[] = [401, 403];

/**
 * HubSpot's refusal of a callback: unknown, expired, released or completed before, with any 4xx. 408, 423 and 429 are
 * not among them: the transport treats them as an outage.
 */
function isRefusal(fault: unknown): fault is HubSpotRejected {
  return fault instanceof HubSpotRejected && !CONCERNS_ALL.includes(fault.httpStatus);
}

/** Whether HubSpot may have carried out the request although its answer is not known. */
function isLostAnswer(fault: HubSpotError): boolean {
  return fault instanceof HubSpotUnavailable && !fault.wasNotSent;
}

function retryDelayMs(fault: HubSpotError, tries: number): number {
  if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) return PARKED_MS;
  return waitAfterMs(fault, tries + 1, isLostAnswer(fault) ? DOUBT_RETRY : RETRY);
}

/** Completions that were sent together are sent together again, so that it remains one request. */
function afterFault(batch: readonly OwedCompletion[], fault: HubSpotError): CompletionResult[] {
  const delayMs = retryDelayMs(fault, Math.max(...batch.map(({ tries }) => tries)));
  const isUnasked = fault instanceof PortalSpared;
  const isLost = isLostAnswer(fault);
  const outcome = { problem: fault.message, isDoubted: isLost };
  const sharedBefore = distinctDoubts(batch);
  return batch.map(({ id, holdEndsMs, doubtedAt }) => {
    if (hasPassed(holdEndsMs)) return { id, to: "COMPLETION_ABANDONED", ...outcome };
    const lostWith = isLost ? sharedBefore.indexOf(doubtedAt?.getTime()) : undefined;
    return { id, to: "DECIDED", delayMs, isUnasked, lostWith, ...outcome };
  });
}

/** The lost requests that completions were in before, a moment for each. */
function distinctDoubts(batch: readonly OwedCompletion[]): (number | undefined)[] {
  return [...new Set(batch.map(({ doubtedAt }) => doubtedAt?.getTime()))];
}

export function asRefused({ id, doubtedAt }: OwedCompletion, problem: string): CompletionResult {
  return { id, to: "COMPLETION_REFUSED", problem, isDoubted: doubtedAt !== undefined };
}

/** @throws what is not HubSpot's fault. */
export async function sendOne(
  channel: CompletionChannel,
  completion: OwedCompletion,
): Promise<CompletionResult> {
  try {
    await channel.gateway.completeOne(completion);
    return { id: completion.id, to: "COMPLETED" };
  } catch (error) {
    if (isRefusal(error)) return asRefused(completion, error.message);
    if (error instanceof HubSpotError) return afterFault([completion], error)[0] as CompletionResult;
    throw error;
  }
}

/**
 * Sends several in one request. If HubSpot refuses it as a whole, possibly for one bad callback, all are untold.
 *
 * @throws what is not HubSpot's fault.
 */
export async function sendBatch(
  channel: CompletionChannel,
  batch: readonly OwedCompletion[],
): Promise<BatchResult> {
  try {
    return readRows(batch, await channel.gateway.completeBatch(batch));
  } catch (error) {
    if (isRefusal(error)) return { results: [], untold: batch, isMixed: false };
    if (error instanceof HubSpotError)
      return { results: afterFault(batch, error), untold: [], isMixed: false };
    throw error;
  }
}

function readRows(
  batch: readonly OwedCompletion[],
  { taken, refused, hasUnnamedErrors }: BatchAnswer,
): BatchResult {
  const now = new Date();
  const results: CompletionResult[] = [];
  const untold: OwedCompletion[] = [];
  for (const completion of batch) {
    const { id, callbackId, doubtedAt = now } = completion;
    const problem = refused.get(callbackId);
    if (taken.has(callbackId)) results.push({ id, to: "COMPLETED" });
    else if (problem !== undefined) results.push(asRefused(completion, problem));
    else untold.push({ ...completion, doubtedAt });
  }
  return { results, untold, isMixed: hasUnnamedErrors };
}
