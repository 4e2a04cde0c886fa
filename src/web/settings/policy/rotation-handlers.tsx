import { randomUUID } from "node:crypto";
import { sendPage } from "#web/kit/page.js";
import { listRotations } from "#domain/policy/list-rotations.js";
import {
  createRotation,
  deleteRotation,
  findRotation,
  MAX_ROTATIONS,
  presetsNaming,
  saveRotation,
  rotationSnapshot,
  type RotationDraft,
  type StoredRotation,
} from "#domain/policy/rotation-store.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges } from "../words/changes.js";
import { readNameable } from "../words/names.js";
import { NEW_ROTATION_PATH, ROTATIONS_PATH } from "../words/paths.js";
import { RotationsPage } from "./rotations-page.js";
import { RotationPage, type RotationModel } from "./rotation-page.js";
import { lookAgain } from "../frame/look-again.js";
import { sendMissing, statusOf, finishForm } from "../frame/form-answers.js";
import { readId } from "#web/kit/form-fields.js";
import { actorOf } from "../session/visit.js";
import { findPortalPolicy } from "#domain/policy/portal-policy-store.js";
import { findSender, saveSender } from "#domain/policy/sender-store.js";
import { findSenderItem, findSenderItems } from "#domain/policy/sender-list.js";
import {
  EMPTY_ROTATION,
  parseRotationEntry,
  readRotationEntry,
  rearrange,
  rotationEntryOf,
  type RotationEntry,
} from "./rotation-entry.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { submitVersioned } from "../frame/versioned-form.js";

/** `GET /settings/rotations` */
export async function showRotations(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId } = visit.session;
  const [nameable, rotations, usedBy, uses] = await Promise.all([
    readNameable(options.database, portalId),
    listRotations(options.database, portalId),
    presetsNaming(options.database, portalId),
    readFlowUses(options.database.pool, portalId),
  ]);
  const model = { frame: frameOf(exchange), nameable, rotations, usedBy, uses };
  sendPage(response, 200, <RotationsPage {...model} />);
}

/** `GET /settings/rotations/new` and `/settings/rotations/:rotationId` */
export async function showRotation(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoRotation(exchange);
  const nameable = await readNameable(options.database, visit.session.portalId);
  const entry = saved === undefined ? EMPTY_ROTATION : rotationEntryOf(saved);
  await sendForm(exchange, { saved, nameable, entry, version: saved?.version ?? 0, problems: {} });
}

/**
 * `POST /settings/rotations/new` and `/settings/rotations/:rotationId`: "add" and "remove" give the form back with
 * somebody more or less and save nothing; so they need no script.
 */
export async function changeRotation(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoRotation(exchange);
  const nameable = await readNameable(database, portalId);
  const entry = readRotationEntry(form);
  const rearranged = rearrange(entry, form);
  if (rearranged !== undefined) {
    const state = { entry: rearranged, version: form.version(), problems: {} };
    return sendForm(exchange, { saved, nameable, ...state, isUnsaved: true });
  }
  await submitVersioned(exchange, {
    entry,
    parsed: parseRotationEntry(entry, nameable),
    save: async (draft, version) => {
      const undoKey = randomUUID();
      const outcome = await save(exchange, saved, { draft, version, undoKey });
      if (outcome === "changed-meanwhile") return outcome;
      if (outcome !== "created" && outcome !== "saved") return { problems: PROBLEMS[outcome] };
      const late = await saveDays(exchange, entry);
      await lookAgain(options, portalId);
      if (late !== undefined) return { notice: { name: "rotation-saved-not-days", about: late } };
      const undoable = saved === undefined ? {} : { undoKey };
      return { notice: { name: "rotation-saved", about: draft.name, ...undoable } };
    },
    find: async () => saved && findRotation(database, portalId, saved.rotationId),
    compare: (stored, draft) =>
      describeChanges(rotationSnapshot(stored), rotationSnapshot(draft), nameable.names),
    show: (state, stored = saved) => sendForm(exchange, { saved: stored, nameable, ...state }),
    sendGone: () => sendNoRotation(exchange),
  });
}

/** What else keeps a rotation from being saved. */
const PROBLEMS = {
  "name-taken": { name: "Another rotation has this name. Choose another one." },
  "too-many": {
    name: `You can have up to ${MAX_ROTATIONS} rotations. Delete one you no longer use first.`,
  },
};

async function save(
  { options: { database }, visit }: Exchange,
  saved: StoredRotation | undefined,
  { draft, ...change }: { draft: RotationDraft; version: number; undoKey: string },
) {
  const actor = actorOf(visit);
  if (saved === undefined) return (await createRotation(database, actor, draft)).kind;
  const { rotationId } = saved;
  return saveRotation(database, actor, { rotationId, draft, ...change });
}

/**
 * The days that were changed in the rotation's form, each saved as the sender's own setting.
 *
 * @returns the name of a sender whom another admin changed meanwhile: that one's days are left as they are.
 */
async function saveDays(
  { options, visit }: Exchange,
  { members }: RotationEntry,
): Promise<string | undefined> {
  const { portalId } = visit.session;
  let late: string | undefined;
  for (const { userId, days: typed } of members) {
    if (typed === undefined) continue;
    const { choices, version } = await findSender(options.database, portalId, BigInt(userId));
    const windowDays = typed.days.length === 7 ? [] : typed.days.map(Number);
    if (String(windowDays) === String(choices.windowDays)) continue;
    const item = await findSenderItem(options.database.pool, portalId, BigInt(userId));
    if (item === undefined) continue;
    const sender = { userId: item.userId, name: item.label };
    const change = { sender, choices: { ...choices, windowDays }, version: typed.version };
    const outcome =
      typed.version === version
        ? await saveSender(options.database, actorOf(visit), change)
        : "changed-meanwhile";
    if (outcome === "changed-meanwhile") late = item.label;
  }
  return late;
}

/** `POST /settings/rotations/:rotationId/delete` */
export async function removeRotation(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const saved = await findSaved(exchange);
  if (saved === "missing" || saved === undefined) return sendNoRotation(exchange);
  const { portalId } = visit.session;
  const undoKey = randomUUID();
  const change = { rotationId: saved.rotationId, version: form.version(), undoKey };
  const outcome = await deleteRotation(options.database, actorOf(visit), change);
  if (outcome.kind === "deleted")
    return finishForm(exchange, { name: "rotation-deleted", about: saved.name, undoKey });
  const nameable = await readNameable(options.database, portalId);
  const state = { entry: rotationEntryOf(saved), version: saved.version, problems: {} };
  const reason = outcome.kind === "in-use" ? { usedBy: outcome.presetNames } : { isChangedMeanwhile: true };
  await sendForm(exchange, { saved, nameable, ...state, ...reason });
}

async function sendForm(
  exchange: Exchange,
  model: Omit<RotationModel, "frame" | "uses" | "senders" | "facts">,
): Promise<void> {
  const { problems, conflict, usedBy, isChangedMeanwhile } = model;
  const status = statusOf({ problems, conflict: conflict ?? usedBy ?? isChangedMeanwhile });
  const { database, now } = exchange.options;
  const { portalId } = exchange.visit.session;
  const userIds = model.entry.members.map(({ userId }) => BigInt(userId));
  const [uses, senders, { policy }] = await Promise.all([
    readFlowUses(database.pool, portalId),
    findSenderItems(database.pool, portalId, userIds),
    findPortalPolicy(database, portalId),
  ]);
  const frame = frameOf(exchange);
  const facts = { onlyListed: policy.onlyListedSenders, now: now(), format: frame.format };
  sendPage(
    exchange.response,
    status,
    <RotationPage frame={frame} uses={uses} senders={senders} facts={facts} {...model} />,
  );
}

/** Undefined for the address of a new one. */
async function findSaved({
  options,
  visit,
  request,
}: Exchange): Promise<StoredRotation | undefined | "missing"> {
  if (request.path === NEW_ROTATION_PATH) return undefined;
  const rotationId = readId(request.params["rotationId"]);
  if (rotationId === undefined) return "missing";
  return (await findRotation(options.database, visit.session.portalId, rotationId)) ?? "missing";
}

function sendNoRotation(exchange: Exchange): void {
  sendMissing(exchange, { what: "rotation", back: { href: ROTATIONS_PATH, label: "All rotations" } });
}
