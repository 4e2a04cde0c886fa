import type { Ownership } from "#domain/executions/claim.js";
import {
  readOwedCompletions,
  readUnwrittenResults,
  writeCompletionResults,
  type CompletionResult,
  type OwedCompletion,
} from "#domain/executions/completions.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { sendBatch, type CompletionChannel } from "./completion-calls.js";
import type { RetryingWriter, Writing } from "#worker/writes/retrying-writer.js";
import { isolateRefused } from "./isolate-refused.js";

export interface CompletionOptions {
  readonly owner: Ownership;
  readonly gateway: Pick<PortalGateway, "completeBatch" | "completeOne">;
  readonly writer: RetryingWriter;
  /** Told which completions HubSpot refused, early ones too, once that is written. */
  readonly onRefused?: ((ids: readonly bigint[]) => Promise<void>) | undefined;
}

/** HubSpot's batch limit is unpublished; 100 is its convention (docs/hubspot.md §3.6). */
export const COMPLETION_BATCH = 100;

/** How results are written of what was read and sent together. */
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
    // HubSpot's words are all that can be refused.
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

/** What HubSpot left open and then did not answer for: it is in trouble, or the window is full. */
const PUT_OFF = { delayMs: 5_000, problem: "HubSpot stopped answering while the result was being sent." };

function wasAsked(result: CompletionResult): boolean {
  return result.to !== "DECIDED" || result.isUnasked !== true;
}

/** One request, as a rule. What HubSpot did not tell apart in its answer is told apart by further ones. */
async function sendTogether(channel: CompletionChannel, batch: readonly OwedCompletion[]): Promise<void> {
  if (batch.length === 0) return;
  const { results, untold, isMixed } = await sendBatch(channel, batch);
  await channel.write(results);
  const told = new Set<bigint>();
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
 * Hands HubSpot one batch of the completions it is owed. Those that it may have taken before go in a request of their
 * own: it refuses them if it did, and whether one such fails all of a batch is unpublished (docs/hubspot.md §3.6).
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
  const refused = new Set<bigint>();
  const channel: CompletionChannel = {
    gateway,
    write: async (results) => {
      // What HubSpot was not asked about stays as it was read: due, with no try counted.
      await writer.write(results.filter(wasAsked), writing);
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
