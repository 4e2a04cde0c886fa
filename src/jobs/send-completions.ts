import type { Ownership } from "../executions/claim.js";
import {
  readOwedCompletions,
  writeCompletionResults,
  type CompletionResult,
  type OwedCompletion,
} from "../executions/completions.js";
import type { PortalGateway } from "../hubspot/gateway.js";
import { sendBatch, type CompletionDesk } from "./completion-calls.js";
import { tellApart } from "./tell-apart.js";
import { writeSurely } from "./write-surely.js";

/** HubSpot's batch limit is unpublished; 100 is its convention (dossier §3.6). */
export const COMPLETION_BATCH = 100;

/** An admin's retry ends with us: nothing is sent for it. */
async function endUnheld(owner: Ownership, decided: readonly OwedCompletion[]): Promise<void> {
  const unheld = decided.filter(({ isHeld }) => !isHeld);
  await writeSurely(() =>
    writeCompletionResults(
      owner,
      unheld.map(({ id }) => ({ id, to: "COMPLETED" })),
    ),
  );
}

/** What HubSpot left open and then did not answer for: it is in trouble, or the window is full. */
const PUT_OFF = { delayMs: 5_000, problem: "HubSpot stopped answering while the result was being sent." };

/** One request, as a rule. What HubSpot did not tell apart in its answer is told apart by further ones. */
async function sendTogether(desk: CompletionDesk, batch: readonly OwedCompletion[]): Promise<void> {
  if (batch.length === 0) return;
  const { results, untold } = await sendBatch(desk, batch);
  await desk.write(results);
  const told = new Set<bigint>();
  const write = async (further: readonly CompletionResult[]): Promise<void> => {
    await desk.write(further);
    further.forEach(({ id }) => told.add(id));
  };
  await tellApart({ ...desk, write }, untold);
  const left = untold.filter(({ id }) => !told.has(id));
  await desk.write(
    left.map(({ id, doubtedAt }) => ({ id, to: "DECIDED", isDoubted: doubtedAt !== undefined, ...PUT_OFF })),
  );
}

/**
 * Hands HubSpot one batch of the completions it is owed. Those that it may have taken before go in a request of their
 * own: it refuses them if it did, and whether one such fails all of a batch is unpublished (dossier §3.6).
 *
 * @returns how many were decided and due; a full batch means there may be more.
 */
export async function sendCompletions(owner: Ownership, gateway: PortalGateway): Promise<number> {
  const decided = await readOwedCompletions(owner, COMPLETION_BATCH);
  const owed = decided.filter(({ isHeld }) => isHeld);
  if (owed.length < decided.length) await endUnheld(owner, decided);
  const latestDecidedAt = owed.reduce<Date | undefined>(
    (latest, { decidedAt }) => (latest === undefined || decidedAt > latest ? decidedAt : latest),
    undefined,
  );
  const desk: CompletionDesk = {
    gateway,
    write: async (results: readonly CompletionResult[]) => {
      if (results.length === 0) return;
      await writeSurely(() => writeCompletionResults(owner, results, { latestDecidedAt }));
    },
  };
  await sendTogether(
    desk,
    owed.filter(({ doubtedAt }) => doubtedAt === undefined),
  );
  await sendTogether(
    desk,
    owed.filter(({ doubtedAt }) => doubtedAt !== undefined),
  );
  return decided.length;
}
