import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import type { Breathe } from "#platform/time/breather.js";
import { availabilityOf } from "./availability.js";
import { candidateGroups, type CandidateGroup, type KnownMembers } from "./candidates.js";
import type { Openings } from "./windows/openings.js";
import { findPlace, storedPassedOver, waitOrFail, type NobodyNow, type PassedOver } from "./passed-over.js";
import type { PeopleSources } from "./people.js";
import type { Policy } from "#domain/contract/policy.js";
import { senderPolicy, type PortalPolicy } from "./portal-policy.js";
import type { RotationWheels } from "./rotation-wheels.js";
import type { StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { SenderLedger } from "./sender-ledger.js";
import type { SenderBlocks } from "./sender-blocks.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";

/** What a portal's senders have done and may do; held by one owner for one turn. */
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

/** One contact that needs a sender. */
export interface SenderRequest {
  readonly executionId: ExecutionId;
  readonly policy: Policy;
  readonly properties: Readonly<Record<string, string | null>>;
  /** Alias that the workflow's step gives for the sender it names. */
  readonly alias: string | undefined;
  readonly people: PeopleSources;
  /** Who enrolled this contact last, read only if a rotation keeps senders. */
  readonly lastSender: () => Promise<UserId | undefined>;
  /** The contact has to be enrolled within this time. */
  readonly patienceMs: number;
}

export interface ChosenSender {
  readonly userId: UserId;
  readonly email: string;
  readonly alias: string | undefined;
}

/** Who sends, with a place reserved; or whom the contact waits for; or why nobody can send. */
export type SenderDecision =
  { readonly kind: "send"; readonly sender: ChosenSender; readonly choice: StoredSenderChoice } | NobodyNow;

/** The maximum number of senders to check between two turns of the event loop: a new one takes some 0.1 ms. */
const SLICE = 16;

/** One choice in progress: who was skipped so far. */
class Choosing {
  readonly #state: SenderState;
  readonly #request: SenderRequest;
  readonly #passedOver: PassedOver[] = [];
  readonly #considered = new Set<UserId>();

  constructor(state: SenderState, request: SenderRequest) {
    this.#state = state;
    this.#request = request;
  }

  /** Whom the contact waits for, or why nobody can send: everyone who may was skipped. */
  async nobody(): Promise<NobodyNow> {
    await this.#state.ledger.loadWaiters();
    await this.#inSlices(this.#passedOver, (entry) => {
      findPlace(entry, this.#state);
    });
    // No `await` from here on, so that no two contacts wait for the same place.
    const { policy, patienceMs } = this.#request;
    const { whenNobody } = policy.fallback;
    return waitOrFail(this.#passedOver, this.#state, { whenNobody, patienceMs });
  }

  /** Reserves a place with someone in the group who can send; undefined: nobody in it can. */
  async tryGroup(group: CandidateGroup, isFirst: boolean): Promise<SenderDecision | undefined> {
    const { ledger, wheels } = this.#state;
    const users = group.people.filter((person) => person.kind === "user");
    await ledger.load(users.map(({ userId }) => userId));
    const wanted = group.rotation?.keepsSender === true ? await this.#request.lastSender() : undefined;
    await this.#inSlices(users, ({ userId }) => this.#opening(userId));
    // No `await` from here to the reservation: what is free now is still free then.
    const ready = new Map<UserId, { email: string; sender: SenderPolicy; isProbe: boolean }>();
    for (const person of group.people) {
      if (person.kind === "nobody")
        this.#passedOver.push({
          via: group.via,
          userId: person.userId,
          email: undefined,
          verdict: { kind: "never", code: person.code, tell: () => person.reason },
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
    person: { userId: UserId; email: string },
    group: CandidateGroup,
    ready: Map<UserId, { email: string; sender: SenderPolicy; isProbe: boolean }>,
  ): void {
    const { portal, ledger, blocks, openings, now } = this.#state;
    if (this.#considered.has(person.userId)) return;
    this.#considered.add(person.userId);
    const sender = senderPolicy(portal, person.userId);
    const verdict = availabilityOf(sender, { ledger, blocks, openings, now: now() });
    if (verdict.kind === "now")
      ready.set(person.userId, { email: person.email, sender, isProbe: verdict.isProbe });
    else this.#passedOver.push({ via: group.via, ...person, verdict, sender });
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
        ...storedPassedOver(this.#passedOver),
      },
    };
  }

  /**
   * Computes the cacheable answers one by one and yields to the event loop in between; the synchronous part then finds
   * them cached.
   */
  async #inSlices<T>(items: readonly T[], answer: (item: T) => unknown): Promise<void> {
    for (const [index, item] of items.entries()) {
      if (index % SLICE === 0) await this.#state.breathe();
      answer(item);
    }
  }

  #opening(userId: UserId): Date | undefined {
    const { portal, openings, now } = this.#state;
    return openings.opensAt(senderPolicy(portal, userId), now());
  }
}

/**
 * Finds the sender for a contact: the one the policy names, then its fallbacks, in order; in a rotation, the member
 * whose turn it is. Reserves a place for the sender in the ledger and makes the pick on the rotation's wheel; the
 * caller stores both before it sends, and settles them with the result.
 *
 * @throws what looking up people throws, and the database's faults.
 */
export async function chooseSender(state: SenderState, request: SenderRequest): Promise<SenderDecision> {
  const { policy, properties, people } = request;
  const { portal, knownMembers } = state;
  const choosing = new Choosing(state, request);
  const groups = candidateGroups(policy, { portal, people, properties, knownMembers });
  for (const [index, group] of groups.entries()) {
    const sent = await choosing.tryGroup(await group(), index === 0);
    if (sent !== undefined) return sent;
  }
  return choosing.nobody();
}
