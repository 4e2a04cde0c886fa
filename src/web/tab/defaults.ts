import { z } from "zod";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { fullLabel, listActivePeople } from "#domain/directory/people.js";
import {
  findPortalPolicy,
  savePortalPolicy,
  type SavePolicyOutcome,
  type ShownPolicy,
  type StoredPortalPolicy,
} from "#domain/policy/portal-policy-store.js";
import { listPresetNames } from "#domain/policy/preset-store.js";
import type { Asker } from "./asker.js";

const id = z.string().regex(/^[1-9]\d{0,17}$/);
const option = z.object({ value: z.string(), label: z.string() });

/** The two defaults and what they can be set to. Fields are added, never renamed. */
export const defaultsAnswer = z.object({
  /** Opaque; goes back with the change. */
  version: z.string(),
  senderUserId: id.nullable(),
  presetId: id.nullable(),
  senders: z.array(option),
  /** There are more people than are listed; the settings site lists more of them. */
  isSendersCut: z.boolean(),
  presets: z.array(option),
});

export type DefaultsAnswer = z.output<typeof defaultsAnswer>;

/** What the tab sends. A portal named in it is not looked at: there is no such member. */
export const defaultsChange = z.object({
  version: z.string().max(60),
  senderUserId: id.nullable(),
  presetId: id.nullable(),
});

export type DefaultsChange = z.output<typeof defaultsChange>;

/** The version covers both halves: the settings row counts its saves, the default preset is named by its id. */
const versionOf = ({ policy, version }: StoredPortalPolicy): string =>
  `${version}.${policy.defaultPresetId ?? ""}`;

/** What a version says was shown; of none of ours, what nothing is like. */
function shownOf(version: string): ShownPolicy {
  const [, settings, presetId] = /^(\d{1,9})\.(\d{0,18})$/.exec(version) ?? [];
  if (settings === undefined || presetId === undefined) return { version: -1 };
  return { version: Number(settings), defaultPresetId: toId(presetId || null) };
}

const toId = (text: string | null): bigint | null => (text === null ? null : BigInt(text));

export async function readDefaults(
  database: Pick<Database, "pool" | "prisma">,
  portalId: PortalId,
): Promise<DefaultsAnswer> {
  const stored = await findPortalPolicy(database, portalId);
  const { defaultSenderUserId, defaultPresetId } = stored.policy;
  const named = defaultSenderUserId === null ? [] : [defaultSenderUserId];
  const [senders, presets] = await Promise.all([
    listActivePeople(database.pool, portalId, named),
    listPresetNames(database, portalId),
  ]);
  return defaultsAnswer.parse({
    version: versionOf(stored),
    senderUserId: defaultSenderUserId?.toString() ?? null,
    presetId: defaultPresetId?.toString() ?? null,
    senders: senders.people.map((person) => ({ value: String(person.userId), label: fullLabel(person) })),
    isSendersCut: senders.isCut,
    presets: presets.map(({ presetId, name }) => ({ value: String(presetId), label: name })),
  });
}

/**
 * Sets both defaults. Saving what is already so changes nothing and succeeds, whatever the version: HubSpot's proxy
 * repeats a request whose answer was lost (docs/hubspot.md §8.2).
 */
export function saveDefaults(
  database: Pick<Database, "pool" | "prisma">,
  { portalId, userId, userEmail }: Asker,
  { version, senderUserId, presetId }: DefaultsChange,
): Promise<SavePolicyOutcome> {
  const actor = { kind: "hubspotTab", portalId, userId, userEmail: userEmail ?? null } as const;
  return savePortalPolicy(database, actor, {
    policy: { defaultSenderUserId: toId(senderUserId), defaultPresetId: toId(presetId) },
    shown: shownOf(version),
  });
}
