import type { Database } from "../db/client.js";
import type { EnrollQuestion, Explain, Explained } from "./explanation.js";
import { INITIAL_POLICY, type Policy } from "./policy.js";
import { findPortalPolicy } from "./portal-policy-store.js";
import { findPreset, listPresets } from "./preset-store.js";
import { findRotation } from "./rotation-store.js";
import type { CandidateVia } from "./sender-choice.js";
import { findSender } from "./sender-store.js";

/**
 * Explains what can be told without HubSpot: which preset applies, which senders come into question in which order, and
 * whom an admin or HubSpot has ruled out. What needs the contact's properties, caps or windows is said to be unchecked, and the
 * decision stays open.
 */
export function createSenderExplainer(database: Pick<Database, "prisma">): Explain {
  return async (portalId, question) => {
    const { name, policy } = await policyOf(database, portalId, question);
    const passedOver: Passed[] = [];
    for (const { via, userId } of await candidatesOf(database, portalId, { question, policy })) {
      const ruledOut = await whyRuledOut(database, portalId, userId);
      if (ruledOut !== undefined) passedOver.push({ userId: userId.toString(), via, ...ruledOut });
    }
    return {
      kind: "explained",
      contact: /^\d+$/.test(question.contact)
        ? { id: question.contact, email: null }
        : { id: null, email: question.contact },
      policyName: name,
      checks: UNCHECKED,
      choice: { chosen: null, passedOver },
      decision: "open",
      sentence: "The contact was not read from HubSpot; only senders who are ruled out are listed.",
    };
  };
}

type Passed = NonNullable<Explained["choice"]>["passedOver"][number];

const UNCHECKED: Explained["checks"] = [
  {
    name: "Opt-out, cooldown and suppression",
    verdict: "unknown",
    sentence: "They depend on the contact's properties.",
  },
  {
    name: "Caps and send windows",
    verdict: "unknown",
    sentence: "They are judged at the moment of enrolling.",
  },
];

async function policyOf(
  database: Pick<Database, "prisma">,
  portalId: bigint,
  { presetId }: EnrollQuestion,
): Promise<{ name: string; policy: Policy }> {
  const preset =
    presetId === null
      ? (await listPresets(database, portalId)).find(({ isDefault }) => isDefault)
      : await findPreset(database, portalId, presetId);
  return preset ?? { name: "Built-in", policy: INITIAL_POLICY };
}

interface Candidate {
  via: CandidateVia;
  userId: bigint;
}

/** Those who are known without the contact: its owner and its properties are not. */
async function candidatesOf(
  database: Pick<Database, "prisma">,
  portalId: bigint,
  { question: { sender }, policy }: { question: EnrollQuestion; policy: Policy },
): Promise<Candidate[]> {
  const rule = sender.mode === "portal_default" ? policy.sender : sender;
  const { defaultSenderUserId } = (await findPortalPolicy(database, portalId)).policy;
  const byDefault: Candidate[] =
    defaultSenderUserId === null ? [] : [{ via: "default_sender", userId: defaultSenderUserId }];
  const turns = async (via: CandidateVia, id: string | bigint | null): Promise<Candidate[]> => {
    const rotation = id === null ? undefined : await findRotation(database, portalId, BigInt(id));
    return (rotation?.members ?? []).map(({ userId }) => ({ via, userId }));
  };
  return [
    ...(rule.mode === "specific_user"
      ? [{ via: "specific_user", userId: BigInt(rule.userId) } satisfies Candidate]
      : []),
    ...(rule.mode === "rotation" ? await turns("rotation", rule.rotationId) : []),
    ...(rule.mode === "default_sender" ? byDefault : []),
    ...(await turns("fallback_rotation", policy.fallback.rotationId)),
    ...(policy.fallback.toDefaultSender && rule.mode !== "default_sender" ? byDefault : []),
  ];
}

async function whyRuledOut(
  database: Pick<Database, "prisma">,
  portalId: bigint,
  userId: bigint,
): Promise<{ code: string; reason: string } | undefined> {
  const [{ policy }, { choices, marks }] = await Promise.all([
    findPortalPolicy(database, portalId),
    findSender(database, portalId, userId),
  ]);
  if (!(choices.isAllowed ?? !policy.onlyListedSenders))
    return { code: "SENDER_NOT_ALLOWED", reason: "May not send by the list of senders." };
  if (marks.refusedCode !== null)
    return { code: marks.refusedCode, reason: "HubSpot refused this sender the last time." };
  return undefined;
}
