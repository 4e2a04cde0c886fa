import { z } from "zod";
import type { AuditItem } from "#domain/audit/list-entries.js";
import { jobPath, storyPath } from "../words/paths.js";
import { describeChanges, type Change, type Names } from "../words/changes.js";
import { actionWords, SUBJECTS } from "../words/audit-words.js";

/** An entry as the page shows it. */
export interface EntryWords {
  /** What comes before the subject's name; empty if the name says it all. */
  readonly kind: string;
  /** What it is called. */
  readonly name: string;
  /** Its own page, as long as it has one and a name of its own; undefined: it is not known by its name. */
  readonly at: string | undefined;
  /** What was done. */
  readonly done: string;
  readonly changes: readonly Change[];
  /** Which executions it applied to, if a filter chose them: one condition each. */
  readonly meant: readonly string[] | undefined;
  /** The page of what it was about. */
  readonly link: { readonly href: string; readonly label: string } | undefined;
}

/** Things of an account of which there is one are named by their own name. */
const NAMED_BY_KIND = new Set(["sender", "rotation", "preset", "workflow", "import", "view"]);

/**
 * What some actions come to, if an entry holds only one side, or nothing but whom it was about: those of this app's
 * earlier releases do.
 */
const IMPLIED: Readonly<Record<string, Change>> = {
  "access LET_IN": { label: "Access", before: "No access", after: "Full access" },
  "access TAKEN_OUT": { label: "Access", before: "Full access", after: "No access" },
  "portal PAUSED": { label: "Enrollment", before: "Running", after: "Paused" },
  "portal RESUMED": { label: "Enrollment", before: "Paused", after: "Running" },
  "portal DELETED": { label: "History", before: "Kept", after: "Deleted" },
  "portal DISCONNECTED": { label: "Connection", before: "Connected", after: "Not connected" },
  "executions CANCELLED": { label: "Result", before: "Waiting", after: "Not enrolled: canceled" },
  "executions RETRIED": { label: "Result", before: "Not enrolled", after: "Retried" },
  "executions TRIED_NOW": { label: "Next try", before: "Later", after: "Now" },
  "executions STOPPED": { label: "Bulk action", before: "In progress", after: "Stopped" },
};

const job = z.object({ job: z.string().regex(/^\d{1,18}$/), filter: z.record(z.string(), z.unknown()) });

/** The entry in an admin's words; ids by name, moments in the portal's zone. */
export function describeEntry(item: AuditItem, names: Names): EntryWords {
  const { subject, action, before, after } = item;
  const asked = job.safeParse(after);
  const told = asked.success ? [] : describeChanges(withoutWhom(before), withoutWhom(after), names);
  const implied = IMPLIED[`${subject} ${action}`];
  const isOneSided = isEmpty(before) || isEmpty(after);
  return {
    name: calledNow(item),
    at: pageOf(item, names),
    kind: NAMED_BY_KIND.has(subject) ? (SUBJECTS[subject] ?? "") : "",
    done: actionWords(action),
    changes: implied !== undefined && isOneSided ? [implied, ...told] : told,
    meant: asked.success ? conditions(asked.data.filter, names) : undefined,
    link: asked.success ? jobLink(asked.data.job) : linkOf(item),
  };
}

/** What was done to contacts names none: the entry outlives them. */
function calledNow({ subject, subjectName }: AuditItem): string {
  if (subject === "portal" && subjectName === "Policy") return "Account defaults";
  if (subject !== "executions") return subjectName;
  if (subjectName.startsWith("execution ")) return "A contact";
  if (subjectName.startsWith("bulk job ")) return "A bulk action";
  return subjectName.replace(/executions$/, "contacts");
}

/** Entries keep names: what is called so now, and alone, is what was meant, or has taken its name since. */
function pageOf({ subject, subjectName, action }: AuditItem, names: Names): string | undefined {
  const among = { sender: names.people, rotation: names.rotations, preset: names.presets };
  if (action === "DELETED" || (subject !== "sender" && subject !== "rotation" && subject !== "preset"))
    return undefined;
  const ids = [...(among[subject] ?? [])]
    .filter(([, name]) => name === subjectName || name.startsWith(`${subjectName} · `))
    .map(([id]) => id);
  return ids.length === 1 ? `/settings/${subject}s/${ids[0] ?? ""}` : undefined;
}

/** Whom access was given to is the entry's heading. */
function withoutWhom(side: unknown): unknown {
  if (typeof side !== "object" || side === null || Array.isArray(side)) return side;
  return Object.fromEntries(Object.entries(side).filter(([name]) => name !== "userId"));
}

function isEmpty(side: unknown): boolean {
  return side === null || side === undefined || (typeof side === "object" && Object.keys(side).length === 0);
}

/** "Status: Not enrolled", "Sender: Ann Lee". */
function conditions(filter: Record<string, unknown>, names: Names): string[] {
  return describeChanges({}, { filter }, names).map(({ label, after }) => `${label}: ${after}`);
}

const jobLink = (id: string) => ({ href: jobPath(BigInt(id)), label: "View result" });

function linkOf({ subject, subjectName }: AuditItem): EntryWords["link"] {
  if (subject !== "executions") return undefined;
  const [, what, id = ""] = /^(execution|bulk job) (\d{1,18})$/.exec(subjectName) ?? [];
  if (what === undefined) return undefined;
  return what === "bulk job" ? jobLink(id) : { href: storyPath(BigInt(id)), label: "View contact" };
}
