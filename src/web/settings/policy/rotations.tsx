import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import {
  createRotation,
  deleteRotation,
  findRotation,
  listRotations,
  MAX_ROTATIONS,
  presetsNaming,
  saveRotation,
  snapshotOf,
  type RotationDraft,
  type StoredRotation,
} from "#domain/policy/rotation-store.js";
import { admitPage } from "../gate/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges, type Change } from "../words/changes.js";
import { readNameable, type Nameable } from "../words/names.js";
import { NEW_ROTATION_PATH, ROTATIONS_PATH, RotationsPage } from "./rotations-page.js";
import { RotationPage } from "./rotation-page.js";
import { lookAgain } from "../frame/look-again.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { admitForm, leadOn } from "../gate/admit-form.js";
import { sendMissing, statusOf, type Exchange } from "../frame/form-answers.js";
import { actorOf, readForm, readId, type Problems } from "../frame/form-body.js";
import {
  EMPTY_ROTATION,
  parseRotationEntry,
  readRotationEntry,
  rearrange,
  rotationEntryOf,
  type RotationEntry,
} from "./rotation-entry.js";

/** `GET /settings/rotations` */
export async function showRotations(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.session;
  const [nameable, rotations, usedBy] = await Promise.all([
    readNameable(options.database, portalId),
    listRotations(options.database, portalId),
    presetsNaming(options.database, portalId),
  ]);
  const frame = frameOf(options, visit, { request, response });
  sendPage(response, 200, <RotationsPage {...{ frame, nameable, rotations, usedBy }} />);
}

/** `GET /settings/rotations/new` and `/settings/rotations/:rotationId` */
export async function showRotation(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing") return sendNoRotation(options, { visit, exchange: { request, response } });
  const nameable = await readNameable(options.database, visit.session.portalId);
  const entry = saved === undefined ? EMPTY_ROTATION : rotationEntryOf(saved);
  const version = saved?.version ?? 0;
  sendForm(
    options,
    { visit, exchange: { request, response } },
    { saved, entry, version, nameable, problems: {} },
  );
}

/**
 * `POST /settings/rotations/new` and `/settings/rotations/:rotationId`: "add" and "remove" give the form back with
 * somebody more or less and save nothing; so they need no script.
 */
export async function changeRotation(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing") return sendNoRotation(options, { visit, exchange: { request, response } });
  const nameable = await readNameable(options.database, visit.session.portalId);
  const body = readForm(request);
  const form = { saved, entry: readRotationEntry(body), version: body.version(), nameable };
  const page = { visit, exchange: { request, response } };
  const rearranged = rearrange(form.entry, body);
  if (rearranged !== undefined)
    return sendForm(options, page, { ...form, entry: rearranged, problems: {}, isUnsaved: true });
  const parsed = parseRotationEntry(form.entry, nameable);
  if ("problems" in parsed) return sendForm(options, page, { ...form, ...parsed });
  await save(options, page, { form, draft: parsed.draft });
}

/** `POST /settings/rotations/:rotationId/delete` */
export async function removeRotation(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const saved = await findSaved(options, visit, request);
  if (saved === "missing" || saved === undefined)
    return sendNoRotation(options, { visit, exchange: { request, response } });
  const { portalId } = visit.session;
  const version = readForm(request).version();
  const change = { rotationId: saved.rotationId, version, by: actorOf(visit) };
  const outcome = await deleteRotation(options.database, portalId, change);
  if (outcome.kind === "deleted")
    return leadOn(options, response, { to: ROTATIONS_PATH, notice: "rotation-deleted" });
  const nameable = await readNameable(options.database, portalId);
  sendForm(
    options,
    { visit, exchange: { request, response } },
    {
      ...{ saved, nameable, entry: rotationEntryOf(saved), version: saved.version, problems: {} },
      ...(outcome.kind === "in-use" ? { usedBy: outcome.presetNames } : { isChangedMeanwhile: true }),
    },
  );
}

interface PageOf {
  visit: AdminVisit;
  exchange: Exchange;
}

interface RotationForm {
  /** Undefined for a new one. */
  saved: StoredRotation | undefined;
  entry: RotationEntry;
  version: number;
  nameable: Nameable;
  problems: Problems;
  conflict?: readonly Change[];
  /** Presets that keep it from being deleted. */
  usedBy?: readonly string[];
  /** Another admin's save kept it from being deleted. */
  isChangedMeanwhile?: boolean;
  /** The form shows more or fewer senders than are saved. */
  isUnsaved?: boolean;
}

async function save(
  options: SettingsOptions,
  page: PageOf,
  { form, draft }: { form: Omit<RotationForm, "problems">; draft: RotationDraft },
): Promise<void> {
  const { database } = options;
  const { portalId } = page.visit.session;
  const by = actorOf(page.visit);
  const outcome =
    form.saved === undefined
      ? (await createRotation(database, portalId, { draft, by })).kind
      : await saveRotation(database, portalId, {
          ...{ rotationId: form.saved.rotationId, draft, version: form.version, by },
        });
  if (outcome === "created" || outcome === "saved") {
    await lookAgain(options, portalId);
    return leadOn(options, page.exchange.response, { to: ROTATIONS_PATH, notice: "rotation-saved" });
  }
  if (outcome === "name-taken")
    return sendForm(options, page, {
      ...form,
      problems: { name: "Another rotation has this name. Choose another one." },
    });
  if (outcome === "too-many") {
    const problem = `This account has ${MAX_ROTATIONS} rotations, as many as it can keep. Delete one that is not used any more.`;
    return sendForm(options, page, { ...form, problems: { name: problem } });
  }
  const current = form.saved && (await findRotation(database, portalId, form.saved.rotationId));
  if (current === undefined) return sendNoRotation(options, page);
  const conflict = describeChanges(snapshotOf(current), snapshotOf(draft), form.nameable.names);
  sendForm(options, page, { ...form, saved: current, version: current.version, problems: {}, conflict });
}

function sendForm(options: SettingsOptions, { visit, exchange }: PageOf, form: RotationForm): void {
  const frame = frameOf(options, visit, exchange);
  const conflict = form.conflict ?? form.usedBy ?? form.isChangedMeanwhile;
  const status = statusOf({ problems: form.problems, conflict });
  sendPage(exchange.response, status, <RotationPage frame={frame} {...form} />);
}

/** Undefined for the address of a new one. */
async function findSaved(
  { database }: SettingsOptions,
  { session }: AdminVisit,
  request: Request,
): Promise<StoredRotation | undefined | "missing"> {
  if (request.path === NEW_ROTATION_PATH) return undefined;
  const rotationId = readId(request.params["rotationId"]);
  if (rotationId === undefined) return "missing";
  return (await findRotation(database, session.portalId, rotationId)) ?? "missing";
}

function sendNoRotation(options: SettingsOptions, page: { visit: AdminVisit; exchange: Exchange }): void {
  sendMissing(options, page, { what: "rotation", back: { href: ROTATIONS_PATH, label: "All rotations" } });
}
