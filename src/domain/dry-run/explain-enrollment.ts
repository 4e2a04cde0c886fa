import type { Pool } from "pg";
import type { CurrentSequence } from "#domain/contract/sequence-facts.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { createBreather, type Breathe } from "#platform/time/breather.js";
import type { Directory } from "#domain/directory/directory.js";
import { REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { holdFor, hoursToDeadline, senderPatienceMs, type Hold } from "#domain/contract/hold.js";
import { readHoldSettings } from "#domain/senders/hold-settings.js";
import { localDay, localTime } from "#platform/time/local-time.js";
import { HubSpotError } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { neededProperties } from "#domain/senders/contact-policy.js";
import {
  readEffectivePolicy,
  type EffectivePolicy,
  type StepChoices,
} from "#domain/senders/effective-policy.js";
import { explainChoice, type ChoiceExplanation } from "#domain/senders/explain-choice.js";
import type { ContactCheck, EnrollQuestion, Explain } from "#domain/senders/explanation.js";
import { Openings } from "#domain/senders/windows/openings.js";
import { createPolicyMemories } from "#domain/senders/stored/policy-memory.js";
import { readPortalPolicy, type PortalPolicy } from "#domain/senders/portal-policy.js";
import { findContact, type FoundContact } from "./find-contact.js";
import { findPeople } from "./find-people.js";
import { judgeInSequence } from "./in-sequence.js";
import type { Verdict } from "./verdict.js";
import { HOUR_MS } from "#platform/time/units.js";

export interface ExplainerOptions {
  readonly pool: Pool;
  readonly directory: Directory;
  /** For the reads of one question. */
  readonly gatewayOf: (portalId: PortalId) => PortalGateway;
  /** The clock of send windows, away dates and caps; undefined: the database's. */
  readonly now: (() => Date) | undefined;
  /** For a call that asks for no hold of its own. */
  readonly deadlineHours: number;
}

/**
 * Answers "what would happen to this contact now?" with the code that enrolls (domain/senders/explain-choice.ts). The
 * contact, and people the directory does not know, are read from HubSpot.
 */
export function createExplainer(options: ExplainerOptions): Explain {
  const means = { ...options, openings: new Openings(), breathe: createBreather() };
  const memoryOf = createPolicyMemories();
  return async (portalId, question) => {
    const { pool, gatewayOf } = options;
    const gateway = gatewayOf(portalId);
    const memory = memoryOf(portalId);
    const { portal, effective } = await readEffectivePolicy(stepOf(question), (needs) =>
      readPortalPolicy(pool, portalId, { memory, needs }),
    );
    const contact = await findContact({ pool, gateway }, portalId, {
      contact: question.contact,
      properties: propertiesFor(effective),
    });
    if (contact === "not-found") return { kind: "contact-not-found" };
    if (contact === "hubspot-unavailable") return { kind: contact };
    try {
      const verdict = await judge(means, { portal, gateway, contact, question });
      return {
        kind: "explained",
        contact: { id: contact.id, email: contact.email },
        policyName: policyName(portal, question),
        ...verdict,
        checks: [...sourceOf(contact, portal.timeZone), ...verdict.checks],
      };
    } catch (error) {
      if (error instanceof HubSpotError) return { kind: "hubspot-unavailable" };
      throw error;
    }
  };
}

/** What all questions have in common. */
export interface Means extends ExplainerOptions {
  readonly openings: Openings;
  readonly breathe: Breathe;
}

interface Question {
  readonly portal: PortalPolicy;
  readonly gateway: PortalGateway;
  readonly contact: FoundContact;
  readonly question: EnrollQuestion;
}

/**
 * In the order of the real step: what is wrong with its settings, whether its time has come, then the contact.
 */
export async function judge(
  { pool, directory, now, deadlineHours, openings, breathe }: Means,
  { portal, gateway, contact, question }: Question,
): Promise<Verdict> {
  const { portalId, timeZone } = portal;
  const at = now?.() ?? portal.readAt;
  const { notBefore, ifAlreadyEnrolled } = question;
  const settings = { ...(await readHoldSettings(pool, portalId)), now: at };
  const hold = holdFor({ notBefore, untilSequenceEnds: ifAlreadyEnrolled === "wait" }, settings);
  if (hold.kind === "too-long") return refused("INVALID_INPUT", hold.reason);
  if (portal.isPaused) return PAUSED;
  const wait = notYet(hold, timeZone);
  if (wait !== undefined) return wait;
  const leftMs = hoursToDeadline(hold, deadlineHours) * HOUR_MS;
  const explanation = await explainChoice(pool, {
    portal,
    patienceMs: senderPatienceMs(leftMs),
    openings,
    breathe,
    now: at,
    contactId: contact.id,
    properties: contact.properties,
    readEnrollment: () => readEnrollment(gateway, contact.id),
    sequenceId: question.sequenceId,
    step: stepOf(question),
    people: findPeople({
      portalId,
      directory,
      readOwner: (ownerId) => gateway.readOwner(ownerId),
      readOwnerOfUser: (userId) => gateway.readOwnerOfUser(userId),
    }),
  });
  if (explanation.kind === "in-sequence")
    return judgeInSequence(explanation, { pool, portalId, sequenceId: question.sequenceId, leftMs });
  return toVerdict(explanation, contact);
}

/** If HubSpot cannot be asked, the contact's properties are believed: it is looked up only if they name a sequence. */
async function readEnrollment(
  gateway: PortalGateway,
  contactId: string,
): Promise<CurrentSequence | undefined> {
  try {
    return await gateway.readEnrollment(contactId);
  } catch (fault) {
    if (fault instanceof HubSpotError) return {};
    throw fault;
  }
}

const PAUSED: Verdict = {
  checks: [{ name: "Pause", verdict: "waits", sentence: "Enrollment is paused for this account." }],
  choice: undefined,
  decision: "wait",
  sentence: "The contact would be enrolled once an admin resumes.",
};

/** Before its time a step looks at nothing else. */
function notYet({ notBefore, waitMs }: Hold, timeZone: string): Verdict | undefined {
  if (notBefore === undefined || waitMs === 0) return undefined;
  const from = localTime(notBefore, timeZone);
  return {
    checks: [
      { name: "Enroll on or after", verdict: "waits", sentence: `The action says not before ${from}.` },
    ],
    choice: undefined,
    decision: "wait",
    sentence: `The contact would be enrolled on or after ${from}.`,
  };
}

export function stepOf(question: EnrollQuestion): StepChoices & { senderAlias?: string } {
  const { sender, presetId, ifAlreadyEnrolled, cooldownDays, senderAlias } = question;
  return {
    ...(ifAlreadyEnrolled === undefined ? {} : { ifAlreadyEnrolled }),
    ...(cooldownDays === undefined ? {} : { cooldownDays }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
    senderMode: sender.mode,
    senderUserId: sender.mode === "specific_user" ? String(sender.userId) : undefined,
    rotationId: sender.mode === "rotation" ? String(sender.rotationId) : undefined,
    presetId: presetId === null ? undefined : String(presetId),
  };
}

export function propertiesFor(effective: EffectivePolicy): string[] {
  const needed = effective.kind === "policy" ? neededProperties(effective.policy) : [];
  return [...new Set([...REQUESTED_PROPERTIES, ...needed])];
}

function policyName({ presets, defaultPreset }: PortalPolicy, { presetId }: EnrollQuestion): string {
  const preset = presetId === null ? defaultPreset : presets.get(String(presetId));
  return preset?.name ?? "Built-in rules";
}

/** Shown only if it is not HubSpot's current answer. */
function sourceOf({ asOf }: FoundContact, timeZone: string): ContactCheck[] {
  if (asOf === undefined) return [];
  const day = localDay(asOf, timeZone);
  const sentence = `We couldn't reach HubSpot. This result uses the contact's data from ${day}.`;
  return [{ name: "The contact's properties", verdict: "unknown", sentence }];
}

/** A refusal's name among the checks. */
const CHECKS: Partial<Record<ErrorCode, string>> = {
  UNSUBSCRIBED: "Opt-out",
  BLOCKED: "Blocked lists",
  COOLDOWN_ACTIVE: "Cooldown",
  INVALID_INPUT: "Settings",
  CONTACT_HAS_NO_EMAIL: "Address",
};

function refused(code: ErrorCode, sentence: string): Verdict {
  const check = { name: CHECKS[code] ?? "Policy", verdict: "refused", code, sentence } as const;
  return { checks: [check], choice: undefined, decision: "refuse", code, sentence };
}

/** HubSpot's lookup comes before it; only without HubSpot nobody knows. */
const passed = ({ asOf }: FoundContact): readonly ContactCheck[] => [
  {
    name: "Email, opt-out, blocked list, and cooldown",
    verdict: "passed",
    sentence: "OK.",
  },
  {
    name: "Already in a sequence?",
    ...(asOf === undefined
      ? { verdict: "passed", sentence: "No. HubSpot shows the contact in no sequence." }
      : { verdict: "unknown", sentence: "We'll know once HubSpot responds." }),
  },
];

function toVerdict(
  explanation: Exclude<ChoiceExplanation, { kind: "in-sequence" }>,
  contact: FoundContact,
): Verdict {
  if (explanation.kind === "refused") return refused(explanation.code, explanation.reason);
  const { decision } = explanation;
  const { choice } = decision;
  const checks = passed(contact);
  switch (decision.kind) {
    case "send":
      return { checks, choice, decision: "enroll", sentence: `${decision.sender.email} would send.` };
    case "wait":
      return { checks, choice, decision: "wait", sentence: decision.reason };
    case "fail": {
      const { code, reason } = decision;
      return { checks, choice, decision: "refuse", code, sentence: reason };
    }
  }
}
