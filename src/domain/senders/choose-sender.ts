import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { Breathe } from "#platform/time/breather.js";
import { availabilityOf, type Unavailable } from "./availability.js";
import { candidateGroups, type CandidateGroup, type KnownMembers } from "./candidates.js";
import type { Openings } from "./windows/openings.js";
import type { PeopleSources } from "./people.js";
import type { Policy } from "#domain/contract/policy.js";
import { senderPolicy, type PortalPolicy } from "./portal-policy.js";
import type { RotationWheels } from "./rotation-wheels.js";
import type { CandidateVia, StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { SenderLedger } from "./sender-ledger.js";
import type { SenderBlocks } from "./sender-blocks.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";

/** What a portal's senders have done and may do, in the hands of one owner for one turn. */
export interface SenderState {
  readonly portal: PortalPolicy;
  readonly ledger: SenderLedger;
  readonly wheels: RotationWheels;
  readonly blocks: SenderBlocks;
  readonly openings: Openings;
  readonly knownMembers: KnownMembers;
  readonly breathe: Breathe;
  readonly now: () => Date;
}

/** One contact that looks for a sender. */
export interface SenderRequest {
  readonly executionId: bigint;
  readonly policy: Policy;
  readonly properties: Readonly<Record<string, string | null>>;
  /** Alias the workflow's step names, for the sender it names. */
  readonly alias: string | undefined;
  readonly people: PeopleSources;
  /** Who enrolled this contact last, asked for only where a rotation keeps senders. */
  readonly lastSender: () => Promise<bigint | undefined>;
  /** The contact has to be enrolled within this time. */
  readonly patienceMs: number;
}

export interface ChosenSender {
  readonly userId: bigint;
  readonly email: string;
  readonly alias: string | undefined;
}

/** Who sends: a place of theirs is reserved. Or whom the contact waits for, or why nobody can. */
export type SenderDecision =
  | { readonly kind: "send"; readonly sender: ChosenSender; readonly choice: StoredSenderChoice }
  | {
      readonly kind: "wait";
      readonly forUserId: bigint;
      readonly delayMs: number;
      readonly reason: string;
      readonly choice: StoredSenderChoice;
    }
  | {
      readonly kind: "fail";
      readonly code: ErrorCode;
      readonly reason: string;
      readonly choice: StoredSenderChoice;
    };

interface PassedOver {
  readonly via: CandidateVia;
  readonly userId: bigint | undefined;
  readonly verdict: Unavailable;
  readonly sender: SenderPolicy | undefined;
  /** When the sender could send, behind those who wait already; worked out once nobody else can. */
  place?: { readonly behind: number; readonly freeAt: Date | undefined };
}

/** Senders looked at between two turns of the event loop, at most: what is not known of them yet takes some 0.1 ms each. */
const SLICE = 16;
/** Of those passed over so many are stored with the contact and shown; a rotation has up to 200. */
const MOST_TOLD = 25;

/** One choice under way: who was passed over so far. */
class Choosing {
  readonly #state: SenderState;
  readonly #request: SenderRequest;
  readonly #passedOver: PassedOver[] = [];
  readonly #considered = new Set<bigint>();

  constructor(state: SenderState, request: SenderRequest) {
    this.#state = state;
    this.#request = request;
  }

  async choose(): Promise<SenderDecision> {
    const { policy, properties, people } = this.#request;
    const { portal, knownMembers } = this.#state;
    const [first, ...others] = candidateGroups(policy, { portal, people, properties, knownMembers });
    for (const [index, group] of [first, ...others].entries()) {
      const sent = group && (await this.#tryGroup(await group(), index === 0));
      if (sent !== undefined) return sent;
    }
    await this.#state.ledger.loadWaiters();
    await this.#inSlices(this.#passedOver, (entry) => {
      this.#findPlace(entry);
    });
    // From here on nothing is awaited: no two contacts wait for the same place.
    return this.#waitOrFail();
  }

  async #tryGroup(group: CandidateGroup, isFirst: boolean): Promise<SenderDecision | undefined> {
    const { ledger, wheels } = this.#state;
    const users = group.people.filter((person) => person.kind === "user");
    await ledger.load(users.map(({ userId }) => userId));
    const wanted = group.rotation?.keepsSender === true ? await this.#request.lastSender() : undefined;
    await this.#inSlices(users, ({ userId }) => this.#opening(userId));
    // From here to the reservation nothing is awaited: what is free now is still free then.
    const ready = new Map<bigint, { email: string; sender: SenderPolicy; isProbe: boolean }>();
    for (const person of group.people) {
      if (person.kind === "nobody")
        this.#passedOver.push({
          via: group.via,
          userId: person.userId,
          verdict: { ...person, kind: "never" },
          sender: undefined,
        });
      else this.#judge(person, group, ready);
    }
    const picked =
      group.rotation === undefined
        ? [...ready.keys()][0]
        : wheels.pick({
            executionId: this.#request.executionId,
            rotation: group.rotation,
            canSend: (userId) => ready.has(userId),
            wanted,
          });
    const chosen = picked === undefined ? undefined : ready.get(picked);
    if (picked === undefined || chosen === undefined) return undefined;
    return this.#send({ ...chosen, group, isFirst, isKept: picked === wanted });
  }

  #judge(
    person: { userId: bigint; email: string },
    group: CandidateGroup,
    ready: Map<bigint, { email: string; sender: SenderPolicy; isProbe: boolean }>,
  ): void {
    const { portal, ledger, blocks, openings, now } = this.#state;
    if (this.#considered.has(person.userId)) return;
    this.#considered.add(person.userId);
    const sender = senderPolicy(portal, person.userId);
    const verdict = availabilityOf(sender, { ledger, blocks, openings, now: now() });
    if (verdict.kind === "now")
      ready.set(person.userId, { email: person.email, sender, isProbe: verdict.isProbe });
    else this.#passedOver.push({ via: group.via, userId: person.userId, verdict, sender });
  }

  #send(chosen: {
    sender: SenderPolicy;
    email: string;
    isProbe: boolean;
    group: CandidateGroup;
    isFirst: boolean;
    isKept: boolean;
  }): SenderDecision {
    const { ledger, blocks } = this.#state;
    const { executionId, alias } = this.#request;
    const { sender, group } = chosen;
    ledger.reserve(executionId, sender.userId);
    if (chosen.isProbe) blocks.startProbe(executionId, sender.userId);
    return {
      kind: "send",
      sender: {
        userId: sender.userId,
        email: sender.sendAsEmail ?? chosen.email,
        // A step's alias belongs to the sender the step names; a fallback has its own.
        alias: (chosen.isFirst ? alias : undefined) ?? sender.senderAlias ?? undefined,
      },
      choice: {
        chosen: {
          userId: String(sender.userId),
          via: chosen.isKept ? "kept_sender" : group.via,
          ...(group.rotation === undefined ? {} : { rotationName: group.rotation.name }),
        },
        ...this.#stored(this.#passedOver),
      },
    };
  }

  #stored(passedOver: readonly PassedOver[]): Omit<StoredSenderChoice, "chosen"> {
    const told = passedOver.slice(0, MOST_TOLD).map(({ via, userId, verdict, place }) => ({
      ...(userId === undefined ? {} : { userId: String(userId) }),
      via,
      code: verdict.code,
      reason: verdict.reason === "" ? ERROR_SENTENCES[verdict.code] : verdict.reason,
      ...(place?.freeAt === undefined ? {} : { freeAt: place.freeAt.toISOString() }),
    }));
    const untold = passedOver.length - told.length;
    return { passedOver: told, ...(untold === 0 ? {} : { morePassedOver: untold }) };
  }

  /**
   * Does what an answer takes that is kept, for one after the other, and lets the event loop turn meanwhile: what then has
   * to be done in one go finds the answers there.
   */
  async #inSlices<T>(items: readonly T[], answer: (item: T) => unknown): Promise<void> {
    for (const [index, item] of items.entries()) {
      if (index % SLICE === 0) await this.#state.breathe();
      answer(item);
    }
  }

  #opening(userId: bigint): Date | undefined {
    const { portal, openings, now } = this.#state;
    return openings.opensAt(senderPolicy(portal, userId), now());
  }

  /** The place this contact would wait for: behind all who wait already. It holds while nobody else joins them. */
  #findPlace(entry: PassedOver): void {
    const { ledger, now } = this.#state;
    const { sender, verdict, place } = entry;
    if (sender === undefined || verdict.kind !== "later") return;
    const behind = ledger.waitersFor(sender.userId);
    if (place?.behind === behind) return;
    const freeAt =
      verdict.isUnsettled === true
        ? ledger.doubtEndsAt(sender)
        : ledger.placeFreeAt(sender, behind, verdict.notBefore ?? now());
    entry.place = { behind, freeAt };
  }

  #waitOrFail(): SenderDecision {
    const { ledger, now } = this.#state;
    const { policy, patienceMs } = this.#request;
    const passedOver = this.#passedOver;
    for (const entry of passedOver) this.#findPlace(entry);
    const choice: StoredSenderChoice = { chosen: null, ...this.#stored(passedOver) };
    const isUnsettled = passedOver.some(({ verdict }) => verdict.isUnsettled);
    if (policy.fallback.whenNobody === "fail" && !isUnsettled) return this.#fail(passedOver, choice);
    const nowMs = now().getTime();
    const soonest = soonestOf(passedOver, nowMs);
    if (soonest === undefined) return this.#fail(passedOver, choice);
    const { sender, delayMs } = soonest;
    const { code, reason } = soonest.verdict;
    if (delayMs > patienceMs) {
      const late = `${reason} The next free place would come after the contact has to be let go.`;
      return { kind: "fail", code, reason: late, choice };
    }
    ledger.addWaiter(sender.userId);
    return { kind: "wait", forUserId: sender.userId, delayMs, reason, choice };
  }

  #fail(passedOver: readonly PassedOver[], choice: StoredSenderChoice): SenderDecision {
    const [first] = passedOver;
    const isRotation = first?.via === "rotation";
    const code = first === undefined || isRotation ? "NO_SENDER_AVAILABLE" : first.verdict.code;
    const isOwnSentence = first !== undefined && first.verdict.reason.startsWith(ERROR_SENTENCES[code]);
    const why = first === undefined || isOwnSentence ? "" : first.verdict.reason;
    const others = passedOver.length > 1 && !isRotation ? "No fallback could send either." : "";
    return { kind: "fail", code, reason: [why, others].filter(Boolean).join(" "), choice };
  }
}

const LEAST_WAIT_MS = 1_000;

/** Who of those passed over could send first; of equals the one considered first. */
function soonestOf(
  passedOver: readonly PassedOver[],
  nowMs: number,
): { sender: SenderPolicy; verdict: Unavailable; delayMs: number } | undefined {
  let soonest: { sender: SenderPolicy; verdict: Unavailable; delayMs: number } | undefined;
  for (const { sender, verdict, place } of passedOver) {
    const freeAt = place?.freeAt;
    if (sender === undefined || freeAt === undefined) continue;
    const delayMs = Math.max(LEAST_WAIT_MS, freeAt.getTime() - nowMs);
    if (soonest === undefined || delayMs < soonest.delayMs) soonest = { sender, verdict, delayMs };
  }
  return soonest;
}

/**
 * Finds who sends to a contact: the sender the policy names, then its fallbacks, in order; of a rotation the member whose
 * turn it is. A place of the one found is reserved in the ledger and the pick made on its wheel; the caller stores both
 * before it sends, and settles them with what came of it.
 *
 * @throws what looking people up throws, and the database's faults.
 */
export function chooseSender(state: SenderState, request: SenderRequest): Promise<SenderDecision> {
  return new Choosing(state, request).choose();
}
