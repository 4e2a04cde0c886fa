import { digestPeriodOf, SWITCHABLE_ALERTS, type AlertSettings } from "#domain/alerts/alert-settings.js";
import type { AlertProblems } from "#domain/alerts/change-alerts.js";
import { readRecipients } from "#domain/alerts/recipients.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";

/** What the form holds: what was saved, or what was typed. */
export interface AlertEntry {
  webhook_url: string;
  email: string;
  failure_count: string;
  failure_percent: string;
  digest: string;
  /** Alerts that are sent; undefined: the form did not ask. */
  kinds?: readonly string[];
}

export function alertEntryOf(saved: AlertSettings): AlertEntry {
  return {
    webhook_url: saved.webhookUrl ?? "",
    email: saved.email ?? "",
    failure_count: saved.failureCount?.toString() ?? "",
    failure_percent: saved.failurePercent?.toString() ?? "",
    digest: saved.digest ?? "",
    kinds: SWITCHABLE_ALERTS.filter((kind) => saved.offKinds?.includes(kind) !== true),
  };
}

export function readAlertEntry(form: FormFields): AlertEntry {
  return {
    webhook_url: form.text("webhook_url"),
    email: form.text("email"),
    failure_count: form.text("failure_count"),
    failure_percent: form.text("failure_percent"),
    digest: form.text("digest"),
    ...(form.has("asks_kinds") && { kinds: form.texts("kinds") }),
  };
}

export function toAlertSettings(entry: AlertEntry): AlertSettings {
  const { kinds } = entry;
  return {
    webhookUrl: entry.webhook_url === "" ? null : entry.webhook_url,
    email: readRecipients(entry.email).join(", ") || null,
    failureCount: toNumber(entry.failure_count),
    failurePercent: toNumber(entry.failure_percent),
    digest: digestPeriodOf(entry.digest) ?? null,
    ...(kinds && { offKinds: SWITCHABLE_ALERTS.filter((kind) => !kinds.includes(kind)) }),
  };
}

/** What is no number at all is none that can be saved. */
function toNumber(text: string): number | null {
  if (text === "") return null;
  return /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
}

/** By field, in the order of the form. */
export function alertProblemsByField({
  email,
  webhookUrl,
  failureCount,
  failurePercent,
}: AlertProblems): Problems {
  const problems = {
    email,
    webhook_url: webhookUrl,
    failure_count: failureCount,
    failure_percent: failurePercent,
  };
  return Object.fromEntries(
    Object.entries(problems).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
