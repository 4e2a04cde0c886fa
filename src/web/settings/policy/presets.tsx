import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import {
  deletePreset,
  findPreset,
  listPresets,
  makeDefault,
  MAX_PRESETS,
  savePreset,
  snapshotOf,
  type PresetDraft,
  type StoredPreset,
} from "#domain/policy/preset-store.js";
import { admitPage } from "../gate/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges, type Change } from "../words/changes.js";
import { readNameable, type Nameable } from "../words/names.js";
import { PresetPage } from "./preset-page.js";
import { NEW_PRESET_PATH, PRESETS_PATH, PresetsPage } from "./presets-page.js";
import { lookAgain } from "../frame/look-again.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { admitForm, leadOn } from "../gate/admit-form.js";
import { sendMissing, statusOf, type Exchange } from "../frame/form-answers.js";
import { actorOf, readForm, readId, type Problems } from "../frame/form-body.js";
import { parsePresetEntry, presetEntryOf, readPresetEntry, type PresetEntry } from "./preset-entry.js";

/** `GET /settings/presets` */
export async function showPresets(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  await sendPresets(options, { visit, exchange: { request, response } });
}

/** @param refused the preset that could not be made the default, since another admin was quicker; null: the built-in. */
async function sendPresets(
  options: SettingsOptions,
  { visit, exchange }: PageOf,
  refused?: bigint | null,
): Promise<void> {
  const { portalId } = visit.session;
  const [presets, nameable] = await Promise.all([
    listPresets(options.database, portalId),
    readNameable(options.database, portalId),
  ]);
  const frame = frameOf(options, visit, exchange);
  const status = refused === undefined ? 200 : 409;
  sendPage(exchange.response, status, <PresetsPage {...{ frame, presets, nameable, refused }} />);
}

/** `GET /settings/presets/new` and `/settings/presets/:presetId`; a new one begins as the built-in policy. */
export async function showPreset(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing") return sendNoPreset(options, { visit, exchange: { request, response } });
  const nameable = await readNameable(options.database, visit.session.portalId);
  const entry = presetEntryOf(saved ?? { name: "", policy: INITIAL_POLICY });
  const version = saved?.version ?? 0;
  sendForm(
    options,
    { visit, exchange: { request, response } },
    { saved, entry, version, nameable, problems: {} },
  );
}

/** `POST /settings/presets/new` and `/settings/presets/:presetId`: what cannot be saved comes back as it was typed. */
export async function changePreset(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing") return sendNoPreset(options, { visit, exchange: { request, response } });
  const nameable = await readNameable(options.database, visit.session.portalId);
  const body = readForm(request);
  const form = { saved, entry: readPresetEntry(body), version: body.version(), nameable };
  const page = { visit, exchange: { request, response } };
  const parsed = parsePresetEntry(form.entry, nameable);
  if ("problems" in parsed) return sendForm(options, page, { ...form, ...parsed });
  await save(options, page, { form, draft: parsed.draft });
}

/** `POST /settings/presets/:presetId/delete` */
export async function removePreset(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { database } = options;
  const { portalId } = visit.session;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing" || saved === undefined)
    return sendNoPreset(options, { visit, exchange: { request, response } });
  const { presetId } = saved;
  const version = readForm(request).version();
  const outcome = await deletePreset(database, portalId, { presetId, version, by: actorOf(visit) });
  const kept = outcome === "deleted" ? undefined : await findPreset(database, portalId, presetId);
  if (kept === undefined) {
    await lookAgain(options, portalId);
    return leadOn(options, response, { to: PRESETS_PATH, notice: "preset-deleted" });
  }
  const nameable = await readNameable(database, portalId);
  const form = { saved: kept, entry: presetEntryOf(kept), version: kept.version, nameable, problems: {} };
  const page = { visit, exchange: { request, response } };
  sendForm(options, page, { ...form, isChangedMeanwhile: true });
}

/** `POST /settings/presets/default`: the preset of field `preset`, or none where it is empty, in place of that of `instead`. */
export async function changeDefaultPreset(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const body = readForm(request);
  const idOf = (field: string) => (body.text(field) === "" ? null : readId(body.text(field)));
  const presetId = idOf("preset");
  if (presetId === undefined) return leadOn(options, response, { to: PRESETS_PATH, notice: "preset-gone" });
  const choice = { presetId, version: body.version(), instead: idOf("instead") ?? null, by: actorOf(visit) };
  const outcome = await makeDefault(options.database, visit.session.portalId, choice);
  if (outcome === "changed-meanwhile")
    return sendPresets(options, { visit, exchange: { request, response } }, presetId);
  if (outcome === "saved") await lookAgain(options, visit.session.portalId);
  const notice = outcome === "saved" ? "default-preset-set" : "preset-gone";
  leadOn(options, response, { to: PRESETS_PATH, notice });
}

interface PageOf {
  visit: AdminVisit;
  exchange: Exchange;
}

interface PresetForm {
  /** Undefined for a new one. */
  saved: StoredPreset | undefined;
  entry: PresetEntry;
  version: number;
  nameable: Nameable;
  problems: Problems;
  conflict?: readonly Change[];
  /** Another admin's save kept it from being deleted. */
  isChangedMeanwhile?: boolean;
}

async function save(
  options: SettingsOptions,
  page: PageOf,
  { form, draft }: { form: Omit<PresetForm, "problems">; draft: PresetDraft },
): Promise<void> {
  const { database } = options;
  const { portalId } = page.visit.session;
  const saved = form.saved && { presetId: form.saved.presetId, version: form.version };
  const outcome = await savePreset(database, portalId, { draft, saved, by: actorOf(page.visit) });
  switch (outcome.kind) {
    case "saved":
      await lookAgain(options, portalId);
      return leadOn(options, page.exchange.response, { to: PRESETS_PATH, notice: "preset-saved" });
    case "name-taken":
      return sendForm(options, page, {
        ...form,
        problems: { name: "Another preset has this name. Choose another one." },
      });
    case "too-many":
      return sendForm(options, page, {
        ...form,
        problems: {
          name: `This account has ${MAX_PRESETS} presets, as many as it can keep. Delete one that is not used any more.`,
        },
      });
    case "rotation-gone":
      return sendForm(options, page, {
        ...form,
        problems: { sender_mode: "A rotation named here was deleted just now. Choose another one." },
      });
    case "changed-meanwhile": {
      const current = form.saved && (await findPreset(database, portalId, form.saved.presetId));
      if (current === undefined) return sendNoPreset(options, page);
      const conflict = describeChanges(snapshotOf(current), snapshotOf(draft), form.nameable.names);
      const { version } = current;
      sendForm(options, page, { ...form, saved: current, version, problems: {}, conflict });
    }
  }
}

function sendForm(options: SettingsOptions, { visit, exchange }: PageOf, form: PresetForm): void {
  const frame = frameOf(options, visit, exchange);
  const status = statusOf({ problems: form.problems, conflict: form.conflict ?? form.isChangedMeanwhile });
  sendPage(exchange.response, status, <PresetPage frame={frame} {...form} />);
}

/** Undefined for the address of a new one. */
async function findSaved(
  { database }: SettingsOptions,
  { session }: AdminVisit,
  request: Request,
): Promise<StoredPreset | undefined | "missing"> {
  if (request.path === NEW_PRESET_PATH) return undefined;
  const presetId = readId(request.params["presetId"]);
  if (presetId === undefined) return "missing";
  return (await findPreset(database, session.portalId, presetId)) ?? "missing";
}

function sendNoPreset(options: SettingsOptions, page: { visit: AdminVisit; exchange: Exchange }): void {
  sendMissing(options, page, { what: "preset", back: { href: PRESETS_PATH, label: "All presets" } });
}
