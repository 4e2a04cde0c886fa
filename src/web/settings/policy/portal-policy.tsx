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
  type PolicyForm,
  type SavePolicyOutcome,
} from "#domain/policy/portal-policy-store.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges } from "../words/changes.js";
import { readNameable, type Nameable } from "../words/names.js";
import { PolicyPage, type PolicyEntry } from "./policy-page.js";
import { requestCopy } from "#domain/directory/report.js";
import { lookAgain } from "../frame/look-again.js";
import { statusOf } from "../frame/form-answers.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import type { FormFields } from "#web/kit/form-fields.js";
import { actorOf } from "../session/visit.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { type FormState, submitVersioned } from "../frame/versioned-form.js";

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

function readEntry(form: FormFields): PolicyEntry {
  return {
    default_sender: form.text("default_sender"),
    sequence_reader: form.text("sequence_reader"),
    only_listed: form.text("only_listed"),
    max_hold_days: form.text("max_hold_days"),
    retention_days: form.text("retention_days"),
  };
}

function entryOf(policy: PolicyForm): PolicyEntry {
  return {
    default_sender: policy.defaultSenderUserId?.toString() ?? "",
    sequence_reader: policy.sequenceReaderUserId?.toString() ?? "",
    only_listed: policy.onlyListedSenders ? "yes" : "",
    max_hold_days: String(policy.maxHoldDays),
    retention_days: policy.retentionDays?.toString() ?? "",
  };
}

const idOf = (chosen: string): bigint | null => (chosen === "" ? null : BigInt(chosen));

function parseEntry(entry: PolicyEntry): { draft: PolicyForm } | { problems: Problems } {
  const parsed = policyForm.safeParse(entry);
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const { only_listed, max_hold_days, retention_days } = parsed.data;
  return {
    draft: {
      defaultSenderUserId: idOf(parsed.data.default_sender),
      sequenceReaderUserId: idOf(parsed.data.sequence_reader),
      onlyListedSenders: only_listed === "yes",
      maxHoldDays: Number(max_hold_days),
      retentionDays: retention_days === "" ? null : Number(retention_days),
    },
  };
}

/** What the form says of an outcome that one of its fields is to blame for. */
const PROBLEMS: Readonly<Partial<Record<SavePolicyOutcome, Problems>>> = {
  "unknown-sender": { default_sender: "The default sender has to be an active user of this account." },
  "unknown-reader": { sequence_reader: "Sequences can only be read as an active user of this account." },
};

/** `GET /settings/policy` */
export async function showPolicy(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const { portalId } = visit.session;
  const [{ policy, version }, nameable] = await Promise.all([
    findPortalPolicy(options.database, portalId),
    readNameable(options.database, portalId),
  ]);
  sendForm(exchange, nameable, { entry: entryOf(policy), version, problems: {} });
}

/** `POST /settings/policy` */
export async function changePolicy(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const nameable = await readNameable(database, portalId);
  const entry = readEntry(form);
  await submitVersioned(exchange, {
    entry,
    parsed: parseEntry(entry),
    save: async (policy, version) => {
      const outcome = await savePortalPolicy(database, actorOf(visit), { policy, shown: { version } });
      const problems = PROBLEMS[outcome];
      if (problems !== undefined) return { problems };
      if (outcome !== "saved") return "changed-meanwhile";
      await requestCopy(database.pool, portalId);
      await lookAgain(options, portalId);
      return { notice: "policy-saved" };
    },
    find: () => findPortalPolicy(database, portalId),
    compare: ({ policy }, draft) => describeChanges(snapshotOf(policy), snapshotOf(draft), nameable.names),
    show: (state) => sendForm(exchange, nameable, state),
  });
}

function sendForm(exchange: Exchange, nameable: Nameable, state: FormState<PolicyEntry>): void {
  const page = <PolicyPage frame={frameOf(exchange)} nameable={nameable} {...state} />;
  sendPage(exchange.response, statusOf(state), page);
}
