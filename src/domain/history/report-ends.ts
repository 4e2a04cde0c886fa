import type { Pool } from "pg";

/** What happened to a line's enrollments, in numbers of them, as far as looks at their contacts told. */
export interface LineEnds {
  /** All that are followed, an admin's retries among them: still in it, ended, or of an end that is not known. */
  readonly followed: number;
  /** Those whose contact was looked at since: of these is known whether they opened, clicked, replied or booked a meeting. */
  readonly seen: number;
  readonly opened: number;
  readonly clicked: number;
  readonly replied: number;
  readonly meeting: number;
  readonly finished: number;
  readonly endedByReply: number;
  readonly unenrolled: number;
  readonly stillIn: number;
  /** No look will tell: the contact is gone, was enrolled again, or the 90 days are over. */
  readonly notKnown: number;
}

export const NO_ENDS: LineEnds = {
  followed: 0,
  seen: 0,
  opened: 0,
  clicked: 0,
  replied: 0,
  meeting: 0,
  finished: 0,
  endedByReply: 0,
  unenrolled: 0,
  stillIn: 0,
  notKnown: 0,
};

/** How many ended in a way that is known: what shares of ends are of. */
export function knownEnds({ finished, endedByReply, unenrolled }: LineEnds): number {
  return finished + endedByReply + unenrolled;
}

/** Numbers of a line, or of what remains of a total. */
export function mapEnds(count: (name: keyof LineEnds) => number): LineEnds {
  const names = Object.keys(NO_ENDS) as (keyof LineEnds)[];
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<keyof LineEnds, number>;
}

/** A contact that was gone at the first look has shown nothing. */
const IS_SEEN = `(looked_at IS NOT NULL AND lost_because IS DISTINCT FROM 'CONTACT_GONE')`;

const CONDITIONS: Readonly<Record<keyof LineEnds, string>> = {
  followed: "true",
  seen: IS_SEEN,
  opened: `${IS_SEEN} AND opened_at IS NOT NULL`,
  clicked: `${IS_SEEN} AND clicked_at IS NOT NULL`,
  replied: `${IS_SEEN} AND (replied_at IS NOT NULL OR outcome = 'REPLIED')`,
  meeting: `${IS_SEEN} AND meeting_at IS NOT NULL`,
  finished: "outcome = 'FINISHED'",
  endedByReply: "outcome = 'REPLIED'",
  unenrolled: "outcome = 'UNENROLLED'",
  stillIn: "outcome IS NULL AND lost_because IS NULL",
  notKnown: "lost_because IS NOT NULL",
};

const listed = (column: (name: string, condition: string) => string): string =>
  Object.entries(CONDITIONS)
    .map(([name, condition]) => `${column(name, condition)}::int AS "${name}"`)
    .join(", ");

/**
 * Read from the index `followed_enrollments_results` alone.
 *
 * `line`: the expression that says which line a followed enrollment belongs to. `$3`: lines to return; the total covers all. It is
 * the sum of the lines: counting it from the enrollments again would cost as much as all lines do.
 */
const ENDS = (line: string): string => `
  SELECT id, ${listed((name) => `coalesce(sum("${name}"), 0)`)}
    FROM (
      SELECT id, ${listed((_name, condition) => `(count(*) FILTER (WHERE ${condition}))`)}
        FROM (SELECT ${line} AS id, looked_at, lost_because, outcome, opened_at, clicked_at, replied_at, meeting_at
                FROM followed_enrollments AS f WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < $4 OFFSET 0) AS f
       GROUP BY id
    ) AS line
   GROUP BY GROUPING SETS ((id), ()) HAVING grouping(id) = 1 OR id = ANY($3::text[])`;

/** The ends of what was enrolled since `$2` and before `$4`, by line; those of all lines together under null. */
export async function readEndsByLine(
  pool: Pool,
  { name, line, values }: { name: string; line: string; values: readonly unknown[] },
): Promise<ReadonlyMap<string | null, LineEnds>> {
  const { rows } = await pool.query<LineEnds & { id: string | null }>({
    name: `report-ends-${name}`,
    text: ENDS(line),
    values: [...values],
  });
  return new Map(rows.map(({ id, ...ends }) => [id, ends]));
}
