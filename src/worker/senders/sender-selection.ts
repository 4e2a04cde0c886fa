import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import { createBreather, type Breathe } from "#platform/time/breather.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { storeIntents, type Intent } from "#domain/executions/intent.js";
import type { Result } from "#domain/executions/write-back.js";
import type { KnownMembers } from "#domain/senders/candidates.js";
import { chooseSender, type SenderDecision, type SenderRequest } from "#domain/senders/choose-sender.js";
import {
  readContactHistories,
  type ContactHistory,
  type HistoryQuestion,
} from "#domain/senders/contact-history.js";
import { rotationsOf } from "#domain/senders/effective-policy.js";
import { Openings } from "#domain/senders/windows/openings.js";
import type { PolicyMemory } from "#domain/senders/stored/policy-memory.js";
import { NEEDS_NOTHING, senderPolicy } from "#domain/senders/portal-policy.js";
import { RotationWheels } from "#domain/senders/rotation-wheels.js";
import { SenderLedger } from "#domain/senders/sender-ledger.js";
import { SenderBlocks } from "#domain/senders/sender-blocks.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { gather } from "#platform/time/gather.js";
import { clearSenderBlock, storeSenderRefusal, type RefusedSender } from "./store-sender-block.js";
import { TurnPolicy } from "./turn-policy.js";

export interface SenderSelectionOptions {
  owner: Ownership;
  /** The clock of windows, away dates and caps; by default the database's, which senders' blocks use, too. */
  now?: (() => Date) | undefined;
  /** Shared by all portals of the process; by default its own. */
  openings?: Openings;
  breathe?: Breathe;
  /** What earlier turns read of the portal's policy; by default its own. */
  memory?: PolicyMemory;
}

/** Attempts that become ready within this time of each other share the statement that stores their intents. */
const INTENT_GATHER_MS = 5;
/** Members of rotations stored by one statement: each contact may advance a rotation of 200. */
const MOST_TURNED = 1_000;

/** A portal's senders, held by its owner for one turn: chosen, counted, blocked, and stored before anything is sent. */
export class SenderSelection {
  /** What applies in the portal now. */
  readonly policy: TurnPolicy;
  /** The clock of windows, away dates and caps. */
  readonly now: () => Date;
  /**
   * Stores who is about to send for an execution; simultaneous callers share the statement.
   *
   * @throws LeaseLost if this owner may not send anymore.
   */
  readonly storeIntent: (intent: Intent) => Promise<void>;
  /** Our own enrollments of a contact; simultaneous callers share the statement. */
  readonly historyOf: (question: HistoryQuestion) => Promise<ContactHistory | undefined>;
  readonly #owner: Ownership;
  readonly #openings: Openings;
  readonly #breathe: Breathe;
  readonly #knownMembers: KnownMembers = new WeakMap();
  readonly #ledger: SenderLedger;
  readonly #wheels = new RotationWheels();
  readonly #blocks: SenderBlocks;
  /** Refusals are stored one after another. */
  #refusing: Promise<void> = Promise.resolve();

  constructor(options: SenderSelectionOptions) {
    const { owner, openings = new Openings(), breathe = createBreather() } = options;
    this.#owner = owner;
    this.policy = new TurnPolicy({
      owner,
      memory: options.memory,
      onRead: (startedAtMs) => {
        this.#blocks.readAgain(startedAtMs);
      },
    });
    const now = options.now ?? (() => this.policy.databaseNow());
    this.now = now;
    this.#openings = openings;
    this.#breathe = breathe;
    this.#ledger = new SenderLedger({ pool: owner.pool, portalId: owner.portalId, now, openings });
    this.#blocks = new SenderBlocks(now);
    this.storeIntent = gather({ ms: INTENT_GATHER_MS, run: (intents) => this.#storeIntents(intents) });
    this.historyOf = gather({
      ms: INTENT_GATHER_MS,
      run: (questions) => readContactHistories(owner.pool, owner.portalId, questions),
    });
  }

  /** Chooses and reserves; see domain/senders/choose-sender.ts. */
  async choose(request: SenderRequest): Promise<SenderDecision & { readonly policyReadAt: Date }> {
    const rotations = new Set(rotationsOf(request.policy));
    const portal = await this.policy.current(undefined, { ...NEEDS_NOTHING, rotations });
    const decision = await chooseSender(
      {
        portal,
        ledger: this.#ledger,
        wheels: this.#wheels,
        blocks: this.#blocks,
        openings: this.#openings,
        knownMembers: this.#knownMembers,
        breathe: this.#breathe,
        now: this.now,
      },
      request,
    );
    return { ...decision, policyReadAt: portal.readAt };
  }

  async #storeIntents(intents: readonly Intent[]): Promise<void[]> {
    const turned = this.#wheels.takeTurned();
    // Before the intents, so that their picks are never lost with this owner.
    while (turned.length > MOST_TURNED) await storeIntents(this.#owner, [], turned.splice(0, MOST_TURNED));
    const stored = await storeIntents(this.#owner, intents, turned);
    if (stored < intents.length)
      throw new LeaseLost(`${intents.length - stored} intents of portal ${this.#owner.portalId} were void`);
    return intents.map(() => undefined);
  }

  /**
   * HubSpot refused the sender: its place and turn are free again, and contacts skip it from now on.
   *
   * @throws LeaseLost if this owner may not send anymore.
   */
  async refused(executionId: ExecutionId, refused: RefusedSender): Promise<void> {
    this.release({ id: executionId });
    // Concurrent requests as the same sender get the same answer: it is stored once.
    if (!this.#blocks.refused(refused.userId, refused.code, refused.message)) return;
    const storing = this.#refusing.then(() => storeSenderRefusal(this.#owner, refused));
    this.#refusing = storing.catch(() => undefined);
    await storing;
    this.#blocks.stored(refused.userId);
  }

  /** Certainly nothing was sent for the execution: its sender's place and turn are free again. */
  release({ id }: Pick<ClaimedExecution, "id">): void {
    this.#ledger.release(id);
    this.#wheels.giveBack(id);
    this.#blocks.endProbe(id);
  }

  /**
   * Settles the reservation by an attempt's result. A request that may have been sent keeps its place.
   *
   * @throws LeaseLost if nothing this owner found out can be written anymore.
   */
  async settle(execution: Pick<ClaimedExecution, "id">, result: Result): Promise<void> {
    const { id } = execution;
    if (result.to === "UNCERTAIN") return;
    if (result.to !== "DECIDED" || result.outcome.enrollmentStatus !== "ENROLLED") {
      this.release(execution);
      return;
    }
    const { sender } = result.outcome;
    this.#ledger.confirm(id, sender?.userId);
    this.#wheels.keep(id);
    this.#blocks.endProbe(id);
    if (sender === undefined) return;
    // The contact is enrolled, even if clearing the block fails: the next success clears it.
    await this.#clearBlock(sender.userId).catch((error: unknown) => {
      if (error instanceof LeaseLost) throw error;
    });
  }

  async #clearBlock(userId: UserId): Promise<void> {
    const { refusal, limitedUntil } = this.#blocks.of(senderPolicy(await this.policy.current(), userId));
    if (refusal === undefined && limitedUntil === undefined) return;
    this.#blocks.cleared(userId);
    await clearSenderBlock(this.#owner, userId);
    this.#blocks.stored(userId);
  }
}
