import type { Request, Response } from "express";
import { z } from "zod";
import { listSequences, type NamedSequence } from "../../directory/people.js";
import { sendPage } from "../../http/page.js";
import type { AskedSender, EnrollQuestion, Explanation } from "../../policy/explanation.js";
import { listPresets, type StoredPreset } from "../../policy/preset-store.js";
import { admitPage } from "../session/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { readNameable, type Nameable } from "../frame/names.js";
import { TryPage } from "./try-page.js";
import type { SettingsOptions } from "../site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { admitForm } from "../session/admit-form.js";
import { statusOf, type Exchange } from "../frame/form-answers.js";
import { problemsOf, readForm, type FormBody, type Problems } from "../frame/form-body.js";

/** The question as it was typed. */
export interface TryEntry {
  contact: string;
  sequence_id: string;
  preset_id: string;
  sender_mode: string;
  sender_user_id: string;
  rotation_id: string;
}

/** What the question can be put together from. */
export interface TryChoices {
  sequences: readonly NamedSequence[];
  presets: readonly StoredPreset[];
  nameable: Nameable;
}

const EMPTY: TryEntry = {
  contact: "",
  sequence_id: "",
  preset_id: "",
  sender_mode: "portal_default",
  sender_user_id: "",
  rotation_id: "",
};

const LONGEST_ADDRESS = 254;

const tryForm = z.object({
  contact: z.union(
    [z.string().regex(/^\d{1,18}$/), z.email().max(LONGEST_ADDRESS)],
    "Enter the contact's e-mail address, or its record id.",
  ),
  sequence_id: z.string().regex(/^\d{1,18}$/, "Choose a sequence."),
  sender_mode: z.enum(
    ["portal_default", "contact_owner", "specific_user", "rotation"],
    "Choose who is to send.",
  ),
});

/** Names of this portal only: whatever else is typed is a problem of its field. */
function parseEntry(
  entry: TryEntry,
  { presets, nameable }: TryChoices,
): { question: EnrollQuestion } | { problems: Problems } {
  const parsed = tryForm.safeParse(entry);
  const problems: Record<string, string> = parsed.success ? {} : { ...problemsOf(parsed.error) };
  const { preset_id, sender_mode, sender_user_id, rotation_id } = entry;
  if (preset_id !== "" && !presets.some(({ presetId }) => presetId.toString() === preset_id))
    problems["preset_id"] = "Choose a preset from the list.";
  if (sender_mode === "specific_user" && !nameable.names.people.has(sender_user_id))
    problems["sender_user_id"] = "Choose the user to send as.";
  if (sender_mode === "rotation" && !nameable.names.rotations.has(rotation_id))
    problems["rotation_id"] = "Choose a rotation.";
  if (!parsed.success || Object.keys(problems).length > 0) return { problems };
  return {
    question: {
      contact: parsed.data.contact,
      sequenceId: parsed.data.sequence_id,
      presetId: preset_id === "" ? null : BigInt(preset_id),
      sender: toSender(parsed.data.sender_mode, entry),
    },
  };
}

function toSender(mode: AskedSender["mode"], entry: TryEntry): AskedSender {
  if (mode === "specific_user") return { mode, userId: BigInt(entry.sender_user_id) };
  if (mode === "rotation") return { mode, rotationId: BigInt(entry.rotation_id) };
  return { mode };
}

function readEntry(body: FormBody): TryEntry {
  return {
    contact: body.text("contact"),
    sequence_id: body.text("sequence_id"),
    preset_id: body.text("preset_id"),
    sender_mode: body.text("sender_mode"),
    sender_user_id: body.text("sender_user_id"),
    rotation_id: body.text("rotation_id"),
  };
}

/** `GET /settings/try` */
export async function showTry(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const choices = await readChoices(options, visit);
  send(options, { visit, exchange: { request, response } }, { entry: EMPTY, choices, problems: {} });
}

/** `POST /settings/try`: a form, so that no contact's address stands in an address bar, and no other site can ask. */
export async function answerTry(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const choices = await readChoices(options, visit);
  const entry = readEntry(readForm(request));
  const parsed = parseEntry(entry, choices);
  const page = { visit, exchange: { request, response } };
  if ("problems" in parsed) return send(options, page, { entry, choices, ...parsed });
  const explanation = await options.explain(visit.session.portalId, parsed.question);
  send(options, page, { entry, choices, problems: {}, explanation });
}

interface TryForm {
  entry: TryEntry;
  choices: TryChoices;
  problems: Problems;
  explanation?: Explanation;
}

function send(
  options: SettingsOptions,
  { visit, exchange }: { visit: AdminVisit; exchange: Exchange },
  form: TryForm,
): void {
  const frame = frameOf(options, visit, exchange);
  const status = statusOf({ problems: form.problems, conflict: undefined });
  sendPage(exchange.response, status, <TryPage frame={frame} {...form} />);
}

async function readChoices({ database }: SettingsOptions, { session }: AdminVisit): Promise<TryChoices> {
  const { portalId } = session;
  const [sequences, presets, nameable] = await Promise.all([
    listSequences(database.pool, portalId),
    listPresets(database, portalId),
    readNameable(database, portalId),
  ]);
  return { sequences, presets, nameable };
}
