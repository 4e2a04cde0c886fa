import type { Ownership } from "#domain/executions/claim.js";
import {
  readOwedCompletions,
  readUnwrittenResults,
  writeCompletionResults,
  type CompletionResult,
  type OwedCompletion,
} from "#domain/executions/completions.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { sendBatch, type CompletionChannel } from "./completion-calls.js";
import type { RetryingWriter, Writing } from "#worker/writes/retrying-writer.js";
import { isolateRefused } from "./isolate-refused.js";

export interface CompletionOptions {
  readonly owner: Ownership;
  readonly gateway: Pick<PortalGateway, "completeBatch" | "completeOne">;
  readonly writer: RetryingWriter;
  /** Called with what HubSpot said about completions that were sent, before it is written. Must not throw. */
  readonly onResults?: ((results: readonly CompletionResult[], sent: SentCompletions) => void) | undefined;
  /** Called with the completions HubSpot refused, including early ones, once that is written. */
  readonly onRefused?: ((ids: readonly ExecutionId[]) => Promise<void>) | undefined;
}

/** What was sent to HubSpot, in one request or some that follow each other. */
export interface SentCompletions {
  readonly portalId: PortalId;
  readonly owed: readonly OwedCompletion[];
  readonly startedAt: Date;
}

/** HubSpot's batch limit is unpublished; 100 is its convention (docs/hubspot.md §3.6). */
export const COMPLETION_BATCH = 100;

/** How the results of completions that were read and sent together are written. */
function writingOf(
  owner: Ownership,
  read: readonly OwedCompletion[],
  sentWith: { latestDecidedAt?: Date | undefined } = {},
): Writing<CompletionResult> {
  const triesBefore = new Map(read.map(({ id, tries }) => [id, tries]));
  return {
    what: "what HubSpot said of a completion",
    idOf: ({ id }) => id,
    write: (results, isAgain) =>
      writeCompletionResults(owner, results, {
        ...sentWith,
        triesBefore: isAgain ? triesBefore : undefined,
      }),
    readUnwritten: (results) => readUnwrittenResults(owner, results, triesBefore),
    // HubSpot's message is the only part the database can refuse.
    inStead: (result) => ({ ...result, problem: "What HubSpot said of it cannot be stored." }),
  };
}

/** An admin's retry ends with us: nothing is sent for it. */
async function endUnheld(
  { owner, writer }: CompletionOptions,
  decided: readonly OwedCompletion[],
): Promise<void> {
  const unheld = decided.filter(({ isHeld }) => !isHeld);
  const results = unheld.map(({ id }): CompletionResult => ({ id, to: "COMPLETED" }));
  await writer.write(results, writingOf(owner, unheld));
}

/** HubSpot left these open and then did not answer: it has a problem, or the window is full. */
const PUT_OFF = { delayMs: 5_000, problem: "HubSpot stopped answering while the result was being sent." };

function wasAsked(result: CompletionResult): boolean {
  return result.to !== "DECIDED" || result.isUnasked !== true;
}

/** Usually one request. Completions that HubSpot's answer did not distinguish take further ones. */
async function sendTogether(channel: CompletionChannel, batch: readonly OwedCompletion[]): Promise<void> {
  if (batch.length === 0) return;
  const { results, untold, isMixed } = await sendBatch(channel, batch);
  await channel.write(results);
  const told = new Set<ExecutionId>();
  const write = async (further: readonly CompletionResult[]): Promise<void> => {
    await channel.write(further);
    further.forEach(({ id }) => told.add(id));
  };
  await isolateRefused({ ...channel, write }, { untold, isMixed });
  const left = untold.filter(({ id }) => !told.has(id));
  await channel.write(
    left.map(({ id, doubtedAt }) => ({ id, to: "DECIDED", isDoubted: doubtedAt !== undefined, ...PUT_OFF })),
  );
}

/**
 * Sends HubSpot one batch of the due completions. Completions that it may have accepted before go in a separate
 * request: it refuses them if it did, and whether one of them fails the whole batch is not published (docs/hubspot.md
 * §3.6).
 *
 * @returns how many were decided and due; a full batch means there may be more.
 * @throws LeaseLost, before any further request, once the portal has a new owner.
 */
export async function sendCompletions(options: CompletionOptions): Promise<number> {
  const { owner, gateway, writer } = options;
  const decided = await readOwedCompletions(owner, COMPLETION_BATCH);
  const owed = decided.filter(({ isHeld }) => isHeld);
  if (owed.length < decided.length) await endUnheld(options, decided);
  const latestDecidedAt = owed.reduce<Date | undefined>(
    (latest, { decidedAt }) => (latest === undefined || decidedAt > latest ? decidedAt : latest),
    undefined,
  );
  const writing = writingOf(owner, owed, { latestDecidedAt });
  const refused = new Set<ExecutionId>();
  const startedAt = new Date();
  const channel: CompletionChannel = {
    gateway,
    write: async (results) => {
      // Completions that were not sent stay as they were read: due, with no try counted.
      const asked = results.filter(wasAsked);
      options.onResults?.(asked, { portalId: owner.portalId, owed, startedAt });
      await writer.write(asked, writing);
      for (const { id, to } of results) if (to === "COMPLETION_REFUSED") refused.add(id);
    },
  };
  await sendTogether(
    channel,
    owed.filter(({ doubtedAt }) => doubtedAt === undefined),
  );
  await sendTogether(
    channel,
    owed.filter(({ doubtedAt }) => doubtedAt !== undefined),
  );
  if (refused.size > 0) await options.onRefused?.([...refused]);
  return decided.length;
}
