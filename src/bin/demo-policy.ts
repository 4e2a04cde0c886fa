import type { Database } from "#platform/db/client.js";
import type { Admin } from "#domain/contract/actor.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { createRotation } from "#domain/policy/rotation-store.js";
import { findSender, saveSender } from "#domain/policy/sender-store.js";
import type { SimulatedUser } from "../simulator/portal/model.js";
import { SUPPRESSED_DOMAIN, type DemoAccount } from "./demo-account.js";

/** Daily caps of the two reps who run out. */
export const CAPS = { outbound: 10, inbound: 6 } as const;

/** What the demo's admin decides, through the stores behind the settings pages: caps, a rotation and two presets. */
export interface DemoPolicy {
  readonly outboundPresetId: string;
  readonly inboundPresetId: string;
}

interface DemoPortal {
  readonly database: Database;
  readonly actor: Admin;
}

const HOUSE_RULES: Policy = {
  ...INITIAL_POLICY,
  sender: { mode: "contact_owner" },
  fallback: { rotationId: null, toDefaultSender: false, whenNobody: "fail" },
  cooldown: { days: 30, scope: "sequence" },
  suppression: { domains: [SUPPRESSED_DOMAIN], property: null },
};

async function capSender({ database, actor }: DemoPortal, user: SimulatedUser, dailyCap: number) {
  const userId = BigInt(user.userId);
  const { choices, version } = await findSender(database, actor.portalId, userId);
  const sender = { userId, name: `${user.firstName} ${user.lastName}` };
  await saveSender(database, actor, { sender, choices: { ...choices, dailyCap }, version });
}

async function addPreset({ database, actor }: DemoPortal, name: string, policy: Policy): Promise<bigint> {
  const saved = await savePreset(database, actor, { draft: { name, policy }, saved: undefined });
  if (saved.kind !== "saved") throw new Error(`the preset “${name}” could not be saved: ${saved.kind}`);
  return saved.presetId;
}

async function addRotation({ database, actor }: DemoPortal, users: readonly SimulatedUser[]) {
  const members = users.map(({ userId }) => ({ userId: BigInt(userId), weight: 1 }));
  const draft = { name: "Inbound desk", keepsSender: false, members };
  const created = await createRotation(database, actor, draft);
  if (created.kind !== "created") throw new Error("the rotation could not be saved");
  return String(created.rotationId);
}

/** Decides the demo's policy. The account has to be connected. */
export async function decidePolicy(database: Database, account: DemoAccount): Promise<DemoPolicy> {
  const { portal, people } = account;
  const { userId, email } = portal.admin;
  const demoPortal: DemoPortal = {
    database,
    actor: {
      kind: "admin",
      portalId: BigInt(portal.portalId),
      userId: BigInt(userId),
      userEmail: email,
    },
  };
  await capSender(demoPortal, people.cappedOutbound, CAPS.outbound);
  await capSender(demoPortal, people.cappedInbound, CAPS.inbound);
  const rotationId = await addRotation(demoPortal, [people.cappedInbound, ...people.reps]);
  const outbound = await addPreset(demoPortal, "House rules", HOUSE_RULES);
  const inbound = await addPreset(demoPortal, "Inbound: a colleague steps in", {
    ...HOUSE_RULES,
    fallback: { ...HOUSE_RULES.fallback, rotationId },
  });
  await savePortalPolicy(database, demoPortal.actor, { policy: { defaultPresetId: outbound }, shown: {} });
  return { outboundPresetId: String(outbound), inboundPresetId: String(inbound) };
}
