import { sentenceOf } from "#domain/contract/error-codes.js";
import { NO_SENDER } from "#domain/contract/execution-filter.js";
import { NO_SENDER_WORDS } from "./activity-words.js";
import { createFormat, type Format } from "./format.js";
import { byForm, labelOf } from "./change-labels.js";
import { WORDS } from "./audit-words.js";
import { unnamed } from "#domain/directory/people.js";

/** One value that differs between two states of the same thing, in words. */
export interface Change {
  label: string;
  before: string;
  after: string;
}

/** What ids in a snapshot are called. */
export interface Names {
  /** By user id. */
  people: ReadonlyMap<string, string>;
  /** By rotation id. */
  rotations: ReadonlyMap<string, string>;
  /** By preset id; if it is absent, an id is shown. */
  presets?: ReadonlyMap<string, string>;
  /** By sequence id. */
  sequences?: ReadonlyMap<string, string>;
  /** In which moments are written; without it they are written in UTC. */
  format?: Pick<Format, "dateTime">;
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Every value that differs, in the order of the forms; null stands for "not there". */
export function describeChanges(before: unknown, after: unknown, names: Names): Change[] {
  const [left, right] = [flatten(before), flatten(after)];
  const paths = new Set([...right.keys(), ...left.keys()]);
  return [...paths]
    .sort(byForm)
    .map((path) => ({
      label: labelOf(path),
      before: describe(path, left.get(path), names),
      after: describe(path, right.get(path), names),
    }))
    .filter((change) => change.before !== change.after);
}

function flatten(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map(path === "" ? [] : [[path, value]]);
  if (Array.isArray(value)) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [
      ...flatten(inner, path === "" ? name : `${path}.${name}`),
    ]),
  );
}

function describe(path: string, value: unknown, names: Names): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.map((item) => describeItem(path, item, names)).join(", ") || "–";
  if (typeof value === "number")
    return path.endsWith("Minute") ? clockTime(value) : value.toLocaleString("en-US");
  return describeText(path, typeof value === "string" ? value : JSON.stringify(value), names);
}

function describeText(path: string, text: string, names: Names): string {
  if (TYPED.has(path)) return text;
  if (path === "filter.senderUserId" && text === NO_SENDER) return NO_SENDER_WORDS;
  if (/userId$/i.test(path)) return names.people.get(text) ?? unnamed(text);
  if (/rotationId$/i.test(path)) return names.rotations.get(text) ?? `Rotation ${text}`;
  if (/presetId$/i.test(path)) return names.presets?.get(text) ?? `Preset ${text}`;
  if (/sequenceId$/i.test(path)) return names.sequences?.get(text) ?? `Sequence ${text}`;
  if (/code$/i.test(path)) return sentenceOf(text) ?? text;
  if (MOMENT.test(text)) return (names.format ?? createFormat(null, undefined)).dateTime(new Date(text));
  return Object.hasOwn(WORDS, text) ? (WORDS[text] ?? text) : text;
}

/** What somebody typed is never taken for the name of a choice. */
const TYPED = new Set([
  "name",
  "defaultPreset",
  "senderAlias",
  "sender.property",
  "suppression.property.name",
  "filter.search",
  "connectedBy",
  "reason",
  "alertWebhookUrl",
  "alertEmail",
  "webhookUrl",
  "description",
]);

/** As `toISOString` writes it. */
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

function describeItem(path: string, item: unknown, names: Names): string {
  if (path === "windowDays") return DAYS[Number(item) - 1] ?? String(item);
  if (typeof item !== "object" || item === null) return String(item);
  const fields = item as Record<string, unknown>;
  if (path === "away") return `${String(fields["from"])} to ${String(fields["to"])}`;
  if (path === "members")
    return `${describe("userId", fields["userId"], names)} (${String(fields["weight"])})`;
  return JSON.stringify(item);
}

/** "9:30 AM"; 1,440 minutes are "12:00 AM", the midnight at the end. */
export function clockTime(minutes: number): string {
  const hour = Math.floor(minutes / 60) % 24;
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  return `${twelve}:${String(minutes % 60).padStart(2, "0")} ${hour < 12 ? "AM" : "PM"}`;
}

/** "09:30", as a time field has it; 1,440 minutes are "24:00". */
export function fieldTime(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
