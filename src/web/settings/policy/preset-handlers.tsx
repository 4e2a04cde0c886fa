import { randomUUID } from "node:crypto";
import { sendPage } from "#web/kit/page.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import {
  deletePreset,
  findPreset,
  listPresets,
  MAX_PRESETS,
  savePreset,
  presetSnapshot,
  type StoredPreset,
} from "#domain/policy/preset-store.js";
import { within } from "#platform/time/within.js";
import { findPortalPolicy, savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { isUsable, readSetup } from "#domain/unenroll/setup.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges } from "../words/changes.js";
import { readNameable } from "../words/names.js";
import { PresetPage, type PresetModel } from "./preset-page.js";
import { NEW_PRESET_PATH, PRESETS_PATH, PresetsPage } from "./presets-page.js";
import { lookAgain } from "../frame/look-again.js";
import { sendMissing, statusOf, finishForm } from "../frame/form-answers.js";
import { readId } from "#web/kit/form-fields.js";
import { actorOf } from "../session/visit.js";
import {
  namesProperty,
  parsePresetEntry,
  presetEntryOf,
  readPresetEntry,
  withInternalNames,
} from "./preset-entry.js";
import type { KnownProperties } from "../step/property-field.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { submitVersioned } from "../frame/versioned-form.js";

/** `GET /settings/presets` */
export async function showPresets(exchange: Exchange): Promise<void> {
  await sendPresets(exchange);
}

/** @param refused the preset that could not be made the default, since another admin was quicker; null: the built-in. */
async function sendPresets(exchange: Exchange, refused?: bigint | null): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId } = visit.session;
  const [presets, nameable, uses] = await Promise.all([
    listPresets(options.database, portalId),
    readNameable(options.database, portalId),
    readFlowUses(options.database.pool, portalId),
  ]);
  const model = { frame: frameOf(exchange), presets, nameable, uses, refused };
  sendPage(response, refused === undefined ? 200 : 409, <PresetsPage {...model} />);
}

/** `GET /settings/presets/new` and `/settings/presets/:presetId`; a new one begins as the built-in policy. */
export async function showPreset(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoPreset(exchange);
  const nameable = await readNameable(options.database, visit.session.portalId);
  const entry = presetEntryOf(saved ?? { name: "", policy: INITIAL_POLICY });
  await sendForm(exchange, { saved, nameable, entry, version: saved?.version ?? 0, problems: {} });
}

/** `POST /settings/presets/new` and `/settings/presets/:presetId`: what cannot be saved comes back as it was typed. */
export async function changePreset(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoPreset(exchange);
  const [nameable, properties] = await Promise.all([
    readNameable(database, portalId),
    options.contactProperties(portalId),
  ]);
  const entry = withInternalNames(readPresetEntry(form), properties);
  await submitVersioned(exchange, {
    entry,
    parsed: parsePresetEntry(entry, nameable, properties),
    save: async (draft, version) => {
      const before = saved && { presetId: saved.presetId, version };
      const undoKey = randomUUID();
      const outcome = await savePreset(database, actorOf(visit), { draft, saved: before, undoKey });
      if (outcome.kind === "changed-meanwhile") return outcome.kind;
      if (outcome.kind !== "saved") return { problems: PROBLEMS[outcome.kind] };
      await lookAgain(options, portalId);
      const undoable = before === undefined ? {} : { undoKey };
      const isChecked = properties !== undefined || !namesProperty(draft.policy);
      return {
        notice: {
          name: isChecked ? "preset-saved" : "preset-saved-unchecked",
          about: draft.name,
          ...undoable,
        },
      };
    },
    find: async () => saved && findPreset(database, portalId, saved.presetId),
    compare: (stored, draft) =>
      describeChanges(presetSnapshot(stored), presetSnapshot(draft), nameable.names),
    show: (state, stored = saved) => sendForm(exchange, { saved: stored, nameable, ...state }),
    sendGone: () => sendNoPreset(exchange),
  });
}

/** What else keeps a preset from being saved. */
const PROBLEMS = {
  "name-taken": { name: "Another preset has this name. Choose another one." },
  "too-many": {
    name: `You can have up to ${MAX_PRESETS} presets. Delete one you no longer use first.`,
  },
  "cannot-replace": {
    if_already_enrolled:
      "Contacts cannot be taken out of their sequence in this account now: see Settings → Unenroll. Choose something else.",
  },
  "rotation-gone": { sender_mode: "This rotation was just deleted. Choose another one." },
};

/** `POST /settings/presets/:presetId/delete` */
export async function removePreset(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const saved = await findSaved(exchange);
  if (saved === "missing" || saved === undefined) return sendNoPreset(exchange);
  const { presetId } = saved;
  const undoKey = randomUUID();
  const change = { presetId, version: form.version(), undoKey };
  const outcome = await deletePreset(database, actorOf(visit), change);
  const kept = outcome === "deleted" ? undefined : await findPreset(database, portalId, presetId);
  if (kept === undefined) {
    await lookAgain(options, portalId);
    return finishForm(exchange, { name: "preset-deleted", about: saved.name, undoKey });
  }
  const nameable = await readNameable(database, portalId);
  const state = { entry: presetEntryOf(kept), version: kept.version, problems: {} };
  await sendForm(exchange, { saved: kept, nameable, ...state, isChangedMeanwhile: true });
}

/** `POST /settings/presets/default`: the preset of field `preset`, or none if it is empty, in place of that of `instead`. */
export async function changeDefaultPreset(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { portalId } = visit.session;
  const idOf = (field: string) => (form.text(field) === "" ? null : readId(form.text(field)));
  const presetId = idOf("preset");
  if (presetId === undefined) return finishForm(exchange, "preset-gone");
  const undoKey = randomUUID();
  const outcome = await savePortalPolicy(options.database, actorOf(visit), {
    undoKey,
    policy: { defaultPresetId: presetId },
    shown: { defaultPresetId: idOf("instead") ?? null, presetVersion: form.version() },
  });
  if (outcome === "changed-meanwhile") return sendPresets(exchange, presetId);
  if (outcome !== "saved") return finishForm(exchange, "preset-gone");
  await lookAgain(options, portalId);
  const { defaultPresetName } = await findPortalPolicy(options.database, portalId);
  finishForm(exchange, {
    name: "default-preset-set",
    about: defaultPresetName ?? "the built-in rules",
    undoKey,
  });
}

async function sendForm(
  exchange: Exchange,
  model: Omit<PresetModel, "frame" | "uses" | "mayReplace" | "properties">,
): Promise<void> {
  const status = statusOf({
    problems: model.problems,
    conflict: model.conflict ?? model.isChangedMeanwhile,
  });
  const { database } = exchange.options;
  const { portalId } = exchange.visit.session;
  const [uses, setup, properties] = await Promise.all([
    readFlowUses(database.pool, portalId),
    readSetup(database, portalId),
    propertiesToShow(exchange),
  ]);
  const page = { frame: frameOf(exchange), uses, properties, mayReplace: isUsable(setup), ...model };
  sendPage(exchange.response, status, <PresetPage {...page} />);
}

/** How long a form waits for the list of properties, without which it is usable, too. */
const PROPERTIES_PATIENCE_MS = 1_000;

function propertiesToShow({ options, visit }: Exchange): Promise<KnownProperties> {
  const listed = options.contactProperties(visit.session.portalId);
  return within(PROPERTIES_PATIENCE_MS, listed, () => new Error("late")).catch(() => undefined);
}

/** Undefined for the address of a new one. */
async function findSaved({
  options,
  visit,
  request,
}: Exchange): Promise<StoredPreset | undefined | "missing"> {
  if (request.path === NEW_PRESET_PATH) return undefined;
  const presetId = readId(request.params["presetId"]);
  if (presetId === undefined) return "missing";
  return (await findPreset(options.database, visit.session.portalId, presetId)) ?? "missing";
}

function sendNoPreset(exchange: Exchange): void {
  sendMissing(exchange, { what: "preset", back: { href: PRESETS_PATH, label: "All presets" } });
}
