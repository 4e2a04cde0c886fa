import type { Request, Response } from "express";
import { z } from "zod";
import { sendPage } from "#web/kit/page.js";
import { DEFAULT_RETENTION_DAYS, MIN_RETENTION_DAYS } from "#domain/history/prune.js";
import {
  findPortalPolicy,
  MAX_HOLD_DAYS,
  MAX_RETENTION_DAYS,
  MIN_HOLD_DAYS,
  savePortalPolicy,
  snapshotOf,
  type PortalPolicy,
} from "#domain/policy/portal-policy-store.js";
import { admitPage } from "../gate/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges, type Change } from "../words/changes.js";
import { readNameable, type Nameable } from "../words/names.js";
import { POLICY_PATH, PolicyPage, type PolicyEntry } from "./policy-page.js";
import { requestCopy } from "#domain/directory/report.js";
import { lookAgain } from "../frame/look-again.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { admitForm, leadOn } from "../gate/admit-form.js";
import { statusOf, type Exchange } from "../frame/form-answers.js";
import { actorOf, problemsOf, readForm, type FormBody, type Problems } from "../frame/form-body.js";

const HOLD_PROBLEM = `Enter the longest hold as a whole number of days from ${MIN_HOLD_DAYS} to ${MAX_HOLD_DAYS}.`;
const RETENTION_PROBLEM = `Enter how long the history is kept as a whole number of days from ${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS.toLocaleString("en-US")}, or nothing for ${DEFAULT_RETENTION_DAYS}.`;

const days = (least: number, most: number) => (text: string) =>
  /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most;

const policyForm = z.object({
  default_sender: z.string().regex(/^\d{0,18}$/, "Choose the default sender from the list."),
  sequence_reader: z.string().regex(/^\d{0,18}$/, "Choose from the list as whom sequences are read."),
  only_listed: z.string(),
  max_hold_days: z.string().refine(days(MIN_HOLD_DAYS, MAX_HOLD_DAYS), HOLD_PROBLEM),
  retention_days: z
    .string()
    .refine((text) => text === "" || days(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS)(text), RETENTION_PROBLEM),
});

function readEntry(body: FormBody): PolicyEntry {
  return {
    default_sender: body.text("default_sender"),
    sequence_reader: body.text("sequence_reader"),
    only_listed: body.text("only_listed"),
    max_hold_days: body.text("max_hold_days"),
    retention_days: body.text("retention_days"),
  };
}

function entryOf(policy: PortalPolicy): PolicyEntry {
  return {
    default_sender: policy.defaultSenderUserId?.toString() ?? "",
    sequence_reader: policy.sequenceReaderUserId?.toString() ?? "",
    only_listed: policy.onlyListedSenders ? "yes" : "",
    max_hold_days: String(policy.maxHoldDays),
    retention_days: policy.retentionDays?.toString() ?? "",
  };
}

const idOf = (chosen: string): bigint | null => (chosen === "" ? null : BigInt(chosen));

/** Whoever is named has to be an active person of this portal, or the one it was before. */
function parseEntry(
  entry: PolicyEntry,
  { people }: Nameable,
  saved: PortalPolicy,
): { policy: PortalPolicy } | { problems: Problems } {
  const parsed = policyForm.safeParse(entry);
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const { only_listed, max_hold_days, retention_days } = parsed.data;
  const defaultSenderUserId = idOf(parsed.data.default_sender);
  const sequenceReaderUserId = idOf(parsed.data.sequence_reader);
  const mayBe = (chosen: bigint | null, before: bigint | null): boolean =>
    chosen === null ||
    chosen === before ||
    people.some(({ userId, isActive }) => userId === chosen && isActive);
  if (!mayBe(defaultSenderUserId, saved.defaultSenderUserId))
    return { problems: { default_sender: "The default sender has to be an active user of this account." } };
  if (!mayBe(sequenceReaderUserId, saved.sequenceReaderUserId))
    return { problems: { sequence_reader: "Sequences can only be read as an active user of this account." } };
  return {
    policy: {
      defaultSenderUserId,
      sequenceReaderUserId,
      onlyListedSenders: only_listed === "yes",
      maxHoldDays: Number(max_hold_days),
      retentionDays: retention_days === "" ? null : Number(retention_days),
    },
  };
}

export async function showPolicy(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.session;
  const [{ policy, version }, nameable] = await Promise.all([
    findPortalPolicy(options.database, portalId),
    readNameable(options.database, portalId),
  ]);
  const form = { entry: entryOf(policy), version, nameable, problems: {} };
  sendForm(options, { visit, exchange: { request, response } }, form);
}

export async function changePolicy(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.session;
  const { database } = options;
  const body = readForm(request);
  const entry = readEntry(body);
  const version = body.version();
  const nameable = await readNameable(database, portalId);
  const parsed = parseEntry(entry, nameable, (await findPortalPolicy(database, portalId)).policy);
  const page = { visit, exchange: { request, response } };
  if ("problems" in parsed) return sendForm(options, page, { entry, version, nameable, ...parsed });
  const { policy } = parsed;
  if (await savePortalPolicy(database, portalId, { policy, version, by: actorOf(visit) })) {
    await requestCopy(database.pool, portalId);
    await lookAgain(options, portalId);
    return leadOn(options, response, { to: POLICY_PATH, notice: "policy-saved" });
  }
  const current = await findPortalPolicy(database, portalId);
  const conflict = describeChanges(snapshotOf(current.policy), snapshotOf(policy), nameable.names);
  sendForm(options, page, { entry, version: current.version, nameable, problems: {}, conflict });
}

interface PolicyForm {
  entry: PolicyEntry;
  version: number;
  nameable: Nameable;
  problems: Problems;
  conflict?: readonly Change[];
}

function sendForm(
  options: SettingsOptions,
  { visit, exchange }: { visit: AdminVisit; exchange: Exchange },
  form: PolicyForm,
): void {
  const frame = frameOf(options, visit, exchange);
  const status = statusOf({ problems: form.problems, conflict: form.conflict });
  sendPage(exchange.response, status, <PolicyPage frame={frame} {...form} />);
}
