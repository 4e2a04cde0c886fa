import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { parseStorableJson } from "#platform/text/storable-json.js";
import { peopleOf } from "./people.js";

/** An entry of a dropdown in HubSpot's workflow editor. */
export interface Option {
  readonly label: string;
  readonly description?: string;
  readonly value: string;
}

export interface OptionQuery {
  readonly portalId: PortalId;
  /** What the person typed; matches any part of the label, or the whole value. */
  readonly search?: string | undefined;
  /** Cursor from an earlier page. */
  readonly after?: string | undefined;
  /** The workflow step's current value: always on the first page, even if no longer offered. */
  readonly selected?: string | undefined;
}

export interface OptionPage {
  readonly options: Option[];
  readonly after?: string;
}

const PAGE_SIZE = 50;

/** In characters: our cursors are shorter, nobody types a longer search, and none of our values is longer. */
const LONGEST_CURSOR = 2_048;
const LONGEST_SEARCH = 200;
/**
 * Maximum length of a label in the list's order, and so in a cursor, which has to stay below its limit even if each
 * character is escaped: labels that are equal up to here are ordered by their values.
 */
const ORDERED_CHARACTERS = 200;

/** Where the next page starts: after this label and value, in the list's own order. */
interface Cursor {
  readonly label: string;
  readonly value: string;
}

/** The question without values that are too long: an unfiltered list is more useful than none. */
function withinLimits({ search, selected, ...query }: OptionQuery): OptionQuery {
  return {
    ...query,
    search: search?.trim().slice(0, LONGEST_SEARCH),
    selected: selected !== undefined && selected.length > LONGEST_SEARCH ? undefined : selected,
  };
}

function isAskedFor({ label, value }: Option, { search = "", after }: OptionQuery): boolean {
  const isFound = label.toLowerCase().includes(search.toLowerCase()) || value === search;
  return after === undefined && isFound;
}

function readCursor(after: string | undefined): Cursor | undefined {
  if (after === undefined || after.length > LONGEST_CURSOR) return undefined;
  try {
    const [label, value] = parseStorableJson(Buffer.from(after, "base64url").toString("utf8")) as unknown[];
    return typeof label === "string" && typeof value === "string" ? { label, value } : undefined;
  } catch {
    // Not our cursor: in a dropdown, the first page is the most useful answer.
    return undefined;
  }
}

function writeCursor(label: string, value: string): string {
  return Buffer.from(JSON.stringify([label, value]), "utf8").toString("base64url");
}

/** Text as a LIKE pattern that matches it anywhere, its own wildcards taken literally. */
function containing(search: string): string {
  return `%${search.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}

interface OptionRow {
  label: string;
  description: string | null;
  value: string;
  sort_label: string;
}

/** The rows a dropdown offers: label, description and value, of one portal ($1). */
interface OptionSource {
  readonly name: string;
  readonly offered: string;
  /** One row by value ($2), offered or not. */
  readonly byValue: string;
  /** Label of a value that no longer exists. */
  readonly unknownLabel: (value: string) => string;
  /** Listed first on the first page, whatever the search. */
  readonly first?: Option;
}

const SEQUENCES: OptionSource = {
  name: "sequences",
  offered: `SELECT name AS label, NULL AS description, sequence_id AS value FROM sequences WHERE portal_id = $1 AND is_listed`,
  byValue: `SELECT CASE WHEN is_listed THEN name ELSE name || ' (no longer available)' END AS label, NULL AS description,
                   sequence_id AS value FROM sequences WHERE portal_id = $1 AND sequence_id = $2`,
  unknownLabel: (value) => `Sequence ${value} (not found)`,
};

/** Every user, and whether the portal's sender list lets them send (defaults: src/domain/contract/sender-policy.ts). */
const JUDGED_SENDERS = `
  SELECT person.user_id, label, email AS description, is_active,
         coalesce(senders.is_allowed, NOT coalesce(portal_settings.only_listed_senders, false)) AS is_allowed
    FROM (${peopleOf()}) AS person
    LEFT JOIN senders ON senders.portal_id = $1 AND senders.user_id = person.user_id
    LEFT JOIN portal_settings ON portal_settings.portal_id = $1`;

const SENDERS: OptionSource = {
  name: "senders",
  offered: `SELECT label, description, user_id::text AS value FROM (${JUDGED_SENDERS}) AS sender WHERE is_active AND is_allowed`,
  byValue: `SELECT label || CASE WHEN NOT is_active THEN ' (deactivated)' WHEN NOT is_allowed THEN ' (not allowed)' ELSE '' END
                     AS label, description, user_id::text AS value
              FROM (${JUDGED_SENDERS}) AS sender WHERE user_id::text = $2`,
  unknownLabel: (value) => `User ${value} (not found)`,
};

const ROTATION = `
  SELECT name AS label, rotation_id::text AS value,
         (SELECT CASE count(*) WHEN 1 THEN '1 sender' ELSE count(*) || ' senders' END FROM rotation_members AS member
           WHERE member.portal_id = $1 AND member.rotation_id = rotations.rotation_id) AS description
    FROM rotations WHERE portal_id = $1`;

const ROTATIONS: OptionSource = {
  name: "rotations",
  offered: ROTATION,
  byValue: `${ROTATION} AND rotation_id::text = $2`,
  unknownLabel: (value) => `Rotation ${value} (not found)`,
};

const PRESET = `
  SELECT name AS label, preset_id::text AS value,
         CASE WHEN is_default THEN 'Applies where a step names no preset' END AS description
    FROM presets WHERE portal_id = $1`;

const PRESETS: OptionSource = {
  name: "presets",
  offered: PRESET,
  byValue: `${PRESET} AND preset_id::text = $2`,
  unknownLabel: (value) => `Preset ${value} (not found)`,
};

function toOption({ label, description, value }: OptionRow): Option {
  return description === null ? { label, value } : { label, description, value };
}

async function searchPage(pool: Pool, source: OptionSource, query: OptionQuery): Promise<OptionRow[]> {
  const cursor = readCursor(query.after);
  const search = query.search ?? "";
  const { rows } = await pool.query<OptionRow>({
    name: `options-${source.name}`,
    text: `
      SELECT label, description, value, sort_label
        FROM (SELECT *, left(lower(label), ${ORDERED_CHARACTERS}) COLLATE "C" AS sort_label FROM (${source.offered}) AS found) AS offered
       WHERE ($2::text IS NULL OR label ILIKE $2 OR description ILIKE $2 OR value = $3)
         AND ($4::text IS NULL OR (sort_label, value) > ($4, $5))
       ORDER BY sort_label, value LIMIT $6`,
    values: [
      query.portalId,
      search === "" ? null : containing(search),
      search,
      cursor?.label ?? null,
      cursor?.value ?? null,
      PAGE_SIZE + 1,
    ],
  });
  return rows;
}

async function findByValue(
  pool: Pool,
  source: OptionSource,
  query: { portalId: PortalId; value: string },
): Promise<Option | undefined> {
  const { rows } = await pool.query<OptionRow>({
    name: `option-${source.name}`,
    text: source.byValue,
    values: [query.portalId, query.value],
  });
  return rows[0] && toOption(rows[0]);
}

/** The option that has to be on the first page even if the list itself does not have it there. */
async function missingFromFirstPage(
  pool: Pool,
  source: OptionSource,
  { query, shown }: { query: OptionQuery; shown: readonly Option[] },
): Promise<Option[]> {
  const isSearching = (query.search ?? "") !== "";
  // Without its label, the editor shows a saved step as blank (docs/hubspot.md §3.7); the editor may also search for
  // the value.
  const value = isSearching ? query.search : query.selected;
  if (
    value === undefined ||
    (isSearching && shown.length > 0) ||
    shown.some((option) => option.value === value)
  )
    return [];
  const found = await findByValue(pool, source, { portalId: query.portalId, value });
  if (found !== undefined) return [found];
  return isSearching ? [] : [{ label: source.unknownLabel(value), value }];
}

async function page(pool: Pool, source: OptionSource, asked: OptionQuery): Promise<OptionPage> {
  const query = withinLimits(asked);
  const rows = await searchPage(pool, source, query);
  const shown = rows.slice(0, PAGE_SIZE);
  const listed = shown.map(toOption);
  const first = source.first !== undefined && isAskedFor(source.first, query) ? [source.first] : [];
  const options =
    query.after === undefined
      ? [
          ...first,
          ...(await missingFromFirstPage(pool, source, { query, shown: [...first, ...listed] })),
          ...listed,
        ]
      : // The selected option was on the first page already.
        listed.filter(({ value }) => value !== query.selected);
  const last = shown.at(-1);
  return rows.length > PAGE_SIZE && last !== undefined
    ? { options, after: writeCursor(last.sort_label, last.value) }
    : { options };
}

/** Sequences of a portal for the dropdown, by name. */
export function sequenceOptions(pool: Pool, query: OptionQuery): Promise<OptionPage> {
  return page(pool, SEQUENCES, query);
}

/** People of a portal who may send, by name. */
export function senderOptions(pool: Pool, query: OptionQuery): Promise<OptionPage> {
  return page(pool, SENDERS, query);
}

/** Rotations of a portal, by name, with how many senders take turns. */
export function rotationOptions(pool: Pool, query: OptionQuery): Promise<OptionPage> {
  return page(pool, ROTATIONS, query);
}

/** Presets of a portal, by name, after the option that applies the portal's default. */
export function presetOptions(pool: Pool, query: OptionQuery, first: Option): Promise<OptionPage> {
  return page(pool, { ...PRESETS, first }, query);
}
