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
import { backoffMs } from "#platform/queue/backoff.js";

/** Where completions are sent, and where what came of them is written. */
export interface CompletionChannel {
  readonly gateway: Pick<PortalGateway, "completeBatch" | "completeOne">;
  readonly write: (results: readonly CompletionResult[]) => Promise<void>;
}

/** What an answer told of a batch. */
export interface BatchResult {
  readonly results: readonly CompletionResult[];
  /** Of which it leaves open whether they were taken. */
  readonly untold: readonly OwedCompletion[];
  /** HubSpot took some of the untold and not others: none of them tells of another. */
  readonly isMixed: boolean;
}

const RETRY = { baseMs: 1_000, capMs: 10 * 60_000 };
/** After a lost answer: what HubSpot took it may have taken late, and what it did not it may be about to. */
const DOUBT_RETRY = { baseMs: 6_000, capMs: 10 * 60_000 };
const PARKED_MS = 60_000;

/** The grant or its scopes: each callback by itself would be refused as well. */
const CONCERNS_ALL: readonly number[] = [401, 403];

/**
 * HubSpot's word on a callback: unknown, expired, let go or completed before, by whatever 4xx. 408, 423 and 429 are none of
 * these: the transport takes them for an outage.
 */
function isRefusal(fault: unknown): fault is HubSpotRejected {
  return fault instanceof HubSpotRejected && !CONCERNS_ALL.includes(fault.httpStatus);
}

/** Whether HubSpot may have done what it was asked for, though its answer is not known. */
function isLostAnswer(fault: HubSpotError): boolean {
  return fault instanceof HubSpotUnavailable && !fault.wasNotSent;
}

function retryDelayMs(fault: HubSpotError, tries: number): number {
  if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) return PARKED_MS;
  const askedMs = fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
  return Math.max(askedMs, backoffMs(tries + 1, isLostAnswer(fault) ? DOUBT_RETRY : RETRY));
}

/** What was sent together is sent together again, so that it stays one request. */
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
 * Sends several for one request. Where HubSpot refuses it as a whole, for what may be one bad callback, all are untold.
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
