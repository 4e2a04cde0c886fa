import type { CompletionResult, OwedCompletion } from "#domain/executions/completions.js";
import {
  asRefused,
  sendBatch,
  sendOne,
  type BatchResult,
  type CompletionChannel,
} from "./completion-calls.js";

/** Sent individually first, spread over the batch: their answers show what is wrong with the rest of it. */
const PROBES = 5;
/** A batch in doubt that is refused in its first minute is postponed, unless one probe shows that it need not be. */
const EARLY_PROBES = 1;
/** From this share of refusals, sending each individually costs fewer requests than halving. */
const MANY_REFUSED = 1 / 3;
/** Results are stored every this many, so that a crash or a lost lease makes us send only a few again. */
const SINGLES_AT_ONCE = 10;

/**
 * Completions whose answer was lost in the same request form a group: HubSpot accepted all of them, or none. Those that
 * a dead owner may have sent are alone.
 */
function byRequest(untold: readonly OwedCompletion[]): OwedCompletion[][] {
  const groups = new Map<number | undefined, OwedCompletion[]>();
  for (const completion of untold) {
    const key = completion.doubtedAt?.getTime();
    groups.set(key, [...(groups.get(key) ?? []), completion]);
  }
  return [...groups.values()];
}

/**
 * Finds the results of completions that HubSpot did not distinguish: it refused a batch of them as a whole, or its
 * answer did not name them.
 *
 * If the answer says that some were accepted and some not, without naming them, each is sent individually. Otherwise a
 * few are sent individually. If some of these are accepted, the batch contains one or more bad callbacks, which halving
 * finds. If all are refused, it is the batch:
 *
 * - A batch whose answer was lost was accepted, or HubSpot released its contacts. Sending each would show the same for
 *   a hundred requests.
 * - In its first minute HubSpot may not hold the callbacks yet. It is postponed.
 * - Any other batch is sent one by one.
 *
 * Ends as soon as HubSpot does not answer; the remaining completions are left as they are.
 */
export async function isolateRefused(
  channel: CompletionChannel,
  { untold, isMixed }: Pick<BatchResult, "untold" | "isMixed">,
): Promise<void> {
  if (isMixed) {
    await sendSingly(channel, untold);
    return;
  }
  const groups = byRequest(untold);
  const alone = groups.filter(({ length }) => length === 1).flat();
  if (!areAnswers(await sendSingly(channel, alone))) return;
  for (const group of groups) if (group.length > 1 && !(await isolateInGroup(channel, group))) return;
}

/** @returns false as soon as HubSpot does not answer. */
async function isolateInGroup(
  channel: CompletionChannel,
  group: readonly OwedCompletion[],
): Promise<boolean> {
  const isDoubted = group.every(({ doubtedAt }) => doubtedAt !== undefined);
  const isEarly = group.every((completion) => completion.isEarly);
  const probes = spread(group, isDoubted && isEarly ? EARLY_PROBES : PROBES);
  const verdicts = await sendSingly(channel, probes);
  const others = group.filter((completion) => !probes.includes(completion));
  if (!areAnswers(verdicts)) return false;
  const refused = verdicts.filter(({ to }) => to === "COMPLETION_REFUSED");
  if (refused.length === verdicts.length && (isDoubted || isEarly)) {
    const problem = refused[0]?.problem ?? "";
    await channel.write(others.map((completion) => asRefused(completion, problem)));
    return true;
  }
  if (refused.length / verdicts.length >= MANY_REFUSED) return areAnswers(await sendSingly(channel, others));
  return sendHalves(channel, others);
}

function spread(group: readonly OwedCompletion[], count: number): OwedCompletion[] {
  if (group.length <= count) return [...group];
  if (count === 1) return [group[Math.floor(group.length / 2)] as OwedCompletion];
  const step = (group.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => group[Math.round(index * step)] as OwedCompletion);
}

/** Accepted or refused counts as an answer; anything else is an outage, or a limit. */
function areAnswers(results: readonly CompletionResult[]): boolean {
  return results.every(({ to }) => to === "COMPLETED" || to === "COMPLETION_REFUSED");
}

async function sendSingly(
  channel: CompletionChannel,
  completions: readonly OwedCompletion[],
): Promise<CompletionResult[]> {
  const results: CompletionResult[] = [];
  for (let start = 0; start < completions.length && areAnswers(results); start += SINGLES_AT_ONCE) {
    const group = completions.slice(start, start + SINGLES_AT_ONCE);
    const sent = await Promise.allSettled(group.map((completion) => sendOne(channel, completion)));
    const told = sent.filter((one) => one.status === "fulfilled").map(({ value }) => value);
    await channel.write(told);
    results.push(...told);
    const failure = sent.find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
  return results;
}

/** Halves a refused batch until the bad callbacks are alone. */
async function sendHalves(channel: CompletionChannel, group: readonly OwedCompletion[]): Promise<boolean> {
  const middle = Math.ceil(group.length / 2);
  const halves = [group.slice(0, middle), group.slice(middle)].filter((half) => half.length > 0);
  for (const half of halves) {
    if (half.length === 1) {
      if (!areAnswers(await sendSingly(channel, half))) return false;
      continue;
    }
    const { results, untold, isMixed } = await sendBatch(channel, half);
    await channel.write(results);
    if (!areAnswers(results)) return false;
    if (untold.length === 0) continue;
    const isTold = isMixed
      ? areAnswers(await sendSingly(channel, untold))
      : await sendHalves(channel, untold);
    if (!isTold) return false;
  }
  return true;
}
