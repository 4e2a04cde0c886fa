import { IF_ALREADY_ENROLLED, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { FaultPlan, FaultRates } from "../../src/simulator/world/faults.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { Trouble } from "../../src/simulator/portal/troubles.js";
import { randomFrom, type Random } from "../../src/simulator/world/random.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import type { Execution } from "../../src/simulator/workflow/execution.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";

/** Of 100 requests, 3 get a 5xx, 5 are cut, 1 gets a 429, and 1 in 250 an answer that never ends. */
const USUAL_FAULTS: FaultRates = {
  errorBefore: 0.015,
  errorAfter: 0.015,
  resetBefore: 0.02,
  resetAfter: 0.03,
  throttled: 0.005,
  throttledRetryAfter: 0.005,
  hangAfter: 0.001,
  halfOpenAfter: 0.002,
  trickle: 0.001,
};

/**
 * What goes wrong on the API while processes die. A completion is one request for up to a hundred contacts, so its answer
 * is lost more often. A refresh whose answer is lost ends the grant where refresh tokens rotate: no app can help it.
 */
export const API_FAULTS: FaultPlan = {
  all: USUAL_FAULTS,
  callbacks: { ...USUAL_FAULTS, errorAfter: 0.04, resetAfter: 0.06, hangAfter: 0.01 },
  token: { errorBefore: 0.015, resetBefore: 0.02 },
};

/** While HubSpot is mute, half of the requests never get a whole answer, on connections that stay open. */
export const MUTE_FAULTS: FaultPlan = {
  ...API_FAULTS,
  all: { ...USUAL_FAULTS, hangBefore: 0.15, hangAfter: 0.15, halfOpenAfter: 0.15, halfOpenBefore: 0.05 },
};

const HOUR_MS = 3_600_000;

/** Contacts HubSpot refuses, or for whom nobody can send: each must end with its reason, and none enrolled. */
const TROUBLES: readonly Trouble[] = ["no-owner", "no-email", "unsubscribed", "bounced", "archived-owner"];
const TROUBLED_SHARE = 0.05;
/** Contacts that are in a sequence when they are called for: they are waited for, and enrolled once it has ended. */
export const ENROLLED_BEFORE_SHARE = 0.04;
const ENROLLED_BEFORE_ENDS_MS = [2_000, 45_000] as const;
const DUPLICATE_PROBABILITY = 0.05;

/** One portal with the contacts a workflow sends through the action. */
export interface Cast {
  readonly portal: SimulatedPortal;
  readonly contactIds: readonly string[];
  /** Those that cannot be enrolled. */
  readonly troubled: ReadonlySet<string>;
  /** Those that were in a sequence before, with that enrollment's id. */
  readonly enrolledBefore: ReadonlyMap<string, string>;
}

function shuffle<T>(items: T[], random: Random): T[] {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random.between(0, index + 1));
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}

/**
 * Adds a portal whose senders' inboxes are their sign-in addresses, and `calls` contacts in an order of chance.
 *
 * @param of.enrolledBeforeShare how many of them are in a sequence already, of 1; none by default.
 */
export function castPortal(
  simulator: Simulator,
  of: { calls: number; random: Random; enrolledBeforeShare?: number },
): Cast {
  const { calls, random, enrolledBeforeShare = 0 } = of;
  const portal = simulator.addPortal({ contacts: 0 });
  for (const user of portal.users.values()) user.inboxAddress = user.email;
  const troubled = new Set<string>();
  const enrolledBefore = new Map<string, string>();
  const contactIds: string[] = [];
  for (let index = 0; index < calls; index += 1) {
    const isTroubled = random.chance(TROUBLED_SHARE);
    const isEnrolledBefore = !isTroubled && random.chance(enrolledBeforeShare);
    const { id } = isTroubled ? portal.addTroubledContact(random.pick(TROUBLES)) : portal.addContact();
    contactIds.push(id);
    if (isTroubled) troubled.add(id);
    if (isEnrolledBefore) enrolledBefore.set(id, portal.enrollInUi(id, { agoMs: HOUR_MS }).id);
  }
  return { portal, contactIds: shuffle(contactIds, random), troubled, enrolledBefore };
}

/** Every answer to "already enrolled" is asked for: a request that took effect unseen must not be taken for another's. */
function inputsFor(
  { portal, enrolledBefore }: Cast,
  contactId: string,
  index: number,
): Record<string, string> {
  const [sequence] = portal.sequences.values();
  const ifAlreadyEnrolled = enrolledBefore.has(contactId) ? "wait" : IF_ALREADY_ENROLLED[index % 3];
  return {
    sequence_id: sequence?.id ?? "",
    sender_mode: "contact_owner",
    if_already_enrolled: ifAlreadyEnrolled ?? "skip",
  };
}

/** Sends a portal's contacts through the action, dealt out over the web processes. */
export function runWorkflows(
  cast: Cast,
  options: { actionUrls: readonly string[]; publicUrl: string; callsPerSecond: number },
): WorkflowRun[] {
  const { portal, contactIds } = cast;
  return options.actionUrls.map((actionUrl, index) =>
    portal.runAction({
      actionUrl,
      publicUrl: options.publicUrl,
      contactIds: contactIds.filter((_, place) => place % options.actionUrls.length === index),
      inputs: (contact, place) => inputsFor(cast, contact?.id ?? "", place),
      objectProperties: [...REQUESTED_PROPERTIES],
      duplicateProbability: DUPLICATE_PROBABILITY,
      ratePerSecond: options.callsPerSecond / options.actionUrls.length,
      // An app that does not answer within this time is asked again, as HubSpot would (docs/hubspot.md §3.5).
      timeoutMs: 5_000,
    }),
  );
}

/** Ends, within the first minute, the sequences that contacts were in before. */
export function endFormerSequences(casts: readonly Cast[], random: Random): () => void {
  const timers = casts.flatMap(({ portal, enrolledBefore }) =>
    [...enrolledBefore.keys()].map((id) =>
      setTimeout(
        () => {
          portal.endEnrollment(id, "replied");
        },
        random.between(...ENROLLED_BEFORE_ENDS_MS),
      ),
    ),
  );
  return () => {
    timers.forEach(clearTimeout);
  };
}

/**
 * Ends sequences early, so that a second POST for a contact would enroll it a second time instead of being refused:
 * three in ten as soon as they begin, two within three seconds, the others not during the run.
 */
export function endSequencesEarly(simulator: Simulator, seed: number): () => void {
  const random = randomFrom(seed);
  const timers = new Set<NodeJS.Timeout>();
  const onEnrolled = ({ portalId, contactId }: { portalId: number; contactId: string }): void => {
    const draw = random.next();
    if (draw >= 0.5) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        const portal = simulator.portals.get(portalId);
        if (portal?.enrollments.activeOf(contactId) !== undefined)
          portal.endEnrollment(contactId, "finished");
      },
      draw < 0.3 ? 0 : draw * 6_000,
    );
    timers.add(timer);
  };
  simulator.signals.on("enrolled", onEnrolled);
  return () => {
    simulator.signals.off("enrolled", onEnrolled);
    for (const timer of timers) clearTimeout(timer);
  };
}

/** HubSpot was told to hold the contact: from then on we owe it an end. */
export function wasAccepted(execution: Execution): boolean {
  return execution.state === "completed" || execution.attempts.some(isHeldBy);
}

/** The answer told HubSpot to hold the contact. */
export function isHeldBy({ status, body }: { status: number; body: string }): boolean {
  return status === 200 && body.includes('"BLOCK"');
}
