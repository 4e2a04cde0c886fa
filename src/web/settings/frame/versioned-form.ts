import type { Change } from "../words/changes.js";
import type { FormExchange } from "./exchange.js";
import { finishForm } from "./form-answers.js";
import type { NoticeToLeave } from "./notices.js";
import type { Problems } from "./problems.js";

/** What a form shows: what is saved, or what was typed and why it was not saved. */
export interface FormState<Entry> {
  readonly entry: Entry;
  /** The version the form was filled in from, which its next save has to name. */
  readonly version: number;
  readonly problems: Problems;
  /** What another admin saved in the meantime, beside what was typed. */
  readonly conflict?: readonly Change[];
}

/** How to save a form that two admins may fill in at the same time. */
export interface VersionedForm<Entry, Draft, Stored extends { version: number }> {
  /** As it was typed. */
  readonly entry: Entry;
  /** The same as it can be saved, or why it cannot. */
  readonly parsed: { draft: Draft } | { problems: Problems };
  /**
   * Saves if `version` is still the stored one. Returns the notice of the page to go on to (`path`, if it is another one), what else keeps it from being
   * saved, or "changed-meanwhile".
   */
  readonly save: (
    draft: Draft,
    version: number,
  ) => Promise<{ notice: NoticeToLeave; path?: string } | { problems: Problems } | "changed-meanwhile">;
  /** What is stored now; undefined if it was deleted. */
  readonly find: () => Promise<Stored | undefined>;
  /** How the stored one differs from the draft. */
  readonly compare: (stored: Stored, draft: Draft) => readonly Change[] | Promise<readonly Change[]>;
  /** @param stored if another admin changed it, what they saved. */
  readonly show: (state: FormState<Entry>, stored?: Stored) => void | Promise<void>;
  /** Answers if it was deleted. */
  readonly sendGone?: () => void;
}

/**
 * Saves a form and leads on. A form that cannot be saved comes back as it was typed, with what is wrong (422); so does
 * one that was filled in from a version that another admin has replaced, with what they changed (409).
 */
export async function submitVersioned<Entry, Draft, Stored extends { version: number }>(
  exchange: FormExchange,
  { entry, parsed, save, find, compare, show, sendGone }: VersionedForm<Entry, Draft, Stored>,
): Promise<void> {
  const version = exchange.form.version();
  if ("problems" in parsed) return show({ entry, version, problems: parsed.problems });
  const { draft } = parsed;
  const outcome = await save(draft, version);
  if (outcome !== "changed-meanwhile") {
    if ("notice" in outcome) return finishForm(exchange, outcome.notice, outcome.path);
    return show({ entry, version, problems: outcome.problems });
  }
  const stored = await find();
  if (stored === undefined) return sendGone?.();
  const conflict = await compare(stored, draft);
  return show({ entry, version: stored.version, problems: {}, conflict }, stored);
}
