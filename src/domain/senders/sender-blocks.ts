import type { SenderPolicy, SenderRefusal } from "#domain/contract/sender-policy.js";
import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";

/** Codes of refusals that concern the sender and not the contact. */
export const SENDER_REFUSALS = [
  "INBOX_NOT_CONNECTED",
  "SENDER_NOT_PERMITTED",
  "SENDER_LIMIT_REACHED",
] as const;
export type SenderRefusalCode = (typeof SENDER_REFUSALS)[number];

/**
 * A refused sender is tried again with one contact after this time, so that a repaired inbox is found automatically.
 */
export const PROBE_AFTER_MS = 3_600_000;
/** HubSpot's limit is per day, and HubSpot does not say when it resets: the sender is tried again after this time. */
export const LIMITED_FOR_MS = 3_600_000;
/** Longer than concurrent requests are in flight. */
const SAME_REFUSAL_MS = 60_000;
/** While one contact probes a sender that was over its limit, the others wait this long. */
const PROBE_TAKES_MS = 30_000;

/** What HubSpot's earlier refusals mean for a sender now. */
export type BlockState =
  | { readonly kind: "good" }
  /** May be tried with one contact, to see whether the problem is fixed. */
  | { readonly kind: "probe" }
  | { readonly kind: "refused"; readonly refusal: SenderRefusal }
  | { readonly kind: "limited"; readonly until: Date };

interface SenderBlock {
  readonly refusal: SenderRefusal | undefined;
  readonly limitedUntil: Date | undefined;
}

/** A block found in this turn; a later read of the sender takes precedence once the block was stored. */
interface OwnBlock extends SenderBlock {
  storedAtMs: number | undefined;
}

/** HubSpot's refusals of senders: those read with the portal's policy, and those that come in during one turn. */
export class SenderBlocks {
  readonly #now: () => Date;
  readonly #blocks = new Map<UserId, OwnBlock>();
  readonly #probing = new Map<UserId, ExecutionId>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** What is known about the sender: this turn's own findings take precedence over what was read. */
  of(sender: SenderPolicy): SenderBlock {
    return this.#blocks.get(sender.userId) ?? sender;
  }

  stateOf(sender: SenderPolicy): BlockState {
    const { refusal, limitedUntil } = this.of(sender);
    const nowMs = this.#now().getTime();
    const isProbed = this.#probing.has(sender.userId);
    if (refusal !== undefined) {
      const isTimeToProbe = nowMs - refusal.at.getTime() >= PROBE_AFTER_MS && !isProbed;
      return isTimeToProbe ? { kind: "probe" } : { kind: "refused", refusal };
    }
    if (limitedUntil === undefined) return { kind: "good" };
    if (limitedUntil.getTime() > nowMs) return { kind: "limited", until: limitedUntil };
    return isProbed ? { kind: "limited", until: new Date(nowMs + PROBE_TAKES_MS) } : { kind: "probe" };
  }

  startProbe(executionId: ExecutionId, userId: UserId): void {
    this.#probing.set(userId, executionId);
  }

  /** The attempt is over, whatever its result. */
  endProbe(executionId: ExecutionId): void {
    for (const [userId, prober] of this.#probing) if (prober === executionId) this.#probing.delete(userId);
  }

  /** @returns whether this is new: false for a refusal that another request got moments ago. */
  refused(userId: UserId, code: SenderRefusalCode, message: string): boolean {
    const at = this.#now();
    const known = this.#blocks.get(userId);
    const knownAtMs =
      known?.refusal?.at.getTime() ??
      (known?.limitedUntil?.getTime() ?? Number.NEGATIVE_INFINITY) - LIMITED_FOR_MS;
    const knownCode = known?.refusal?.code ?? "SENDER_LIMIT_REACHED";
    if (knownCode === code && at.getTime() - knownAtMs < SAME_REFUSAL_MS) return false;
    const block =
      code === "SENDER_LIMIT_REACHED"
        ? { refusal: undefined, limitedUntil: new Date(at.getTime() + LIMITED_FOR_MS) }
        : { refusal: { code, message, at }, limitedUntil: undefined };
    this.#blocks.set(userId, { ...block, storedAtMs: undefined });
    return true;
  }

  cleared(userId: UserId): void {
    this.#blocks.set(userId, { refusal: undefined, limitedUntil: undefined, storedAtMs: undefined });
  }

  /** The sender's block is in the database. */
  stored(userId: UserId): void {
    const block = this.#blocks.get(userId);
    if (block !== undefined) block.storedAtMs = performance.now();
  }

  /** The senders were read again by a statement begun at `readAtMs` (of `performance.now`). */
  readAgain(readAtMs: number): void {
    for (const [userId, { storedAtMs }] of this.#blocks)
      if (storedAtMs !== undefined && storedAtMs < readAtMs) this.#blocks.delete(userId);
  }
}
