import { z } from "zod";
import { DEFAULT_RETENTION_DAYS, MIN_RETENTION_DAYS } from "#domain/history/prune.js";
import {
  MAX_HOLD_DAYS,
  MAX_RETENTION_DAYS,
  MIN_HOLD_DAYS,
  type PolicyForm,
} from "#domain/policy/portal-policy-store.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { problemsOf, type Problems } from "../frame/problems.js";

/** The portal's policy as texts: what was saved, or what was typed. */
export interface PolicyEntry {
  default_sender: string;
  sequence_reader: string;
  only_listed: string;
  max_hold_days: string;
  retention_days: string;
}

const HOLD_PROBLEM = `Enter a maximum wait in whole days from ${MIN_HOLD_DAYS} to ${MAX_HOLD_DAYS}.`;
const RETENTION_PROBLEM = `Enter how long to keep the history in whole days from ${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS.toLocaleString("en-US")}, or leave it blank for ${DEFAULT_RETENTION_DAYS}.`;

const days = (least: number, most: number) => (text: string) =>
  /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most;

const policyForm = z.object({
  default_sender: z.string().regex(/^\d{0,18}$/, "Choose the default sender from the list."),
  sequence_reader: z.string().regex(/^\d{0,18}$/, "Choose a user from the list."),
  only_listed: z.string(),
  max_hold_days: z.string().refine(days(MIN_HOLD_DAYS, MAX_HOLD_DAYS), HOLD_PROBLEM),
  retention_days: z
    .string()
    .refine((text) => text === "" || days(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS)(text), RETENTION_PROBLEM),
});

export function readPolicyEntry(form: FormFields): PolicyEntry {
  return {
    default_sender: form.text("default_sender"),
    sequence_reader: form.text("sequence_reader"),
    only_listed: form.text("only_listed"),
    max_hold_days: form.text("max_hold_days"),
    retention_days: form.text("retention_days"),
  };
}

export function policyEntryOf(policy: PolicyForm): PolicyEntry {
  return {
    default_sender: policy.defaultSenderUserId?.toString() ?? "",
    sequence_reader: policy.sequenceReaderUserId?.toString() ?? "",
    only_listed: policy.onlyListedSenders ? "yes" : "",
    max_hold_days: String(policy.maxHoldDays),
    retention_days: policy.retentionDays?.toString() ?? "",
  };
}

const idOf = (chosen: string): UserId | null => (chosen === "" ? null : BigInt(chosen));

/** What was typed as a policy, or what is wrong with it by field. */
export function parsePolicyEntry(entry: PolicyEntry): { draft: PolicyForm } | { problems: Problems } {
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
