import type { Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { inactivePeople, peopleOf, unnamed } from "./people.js";

/**
 * The result of reading the sequences as one person. `cut`: only a part was read. `failed`: HubSpot did not answer, or
 * not in a form we know. `spared`: skipped, because others had shown enough already or HubSpot was failing.
 */
export type ReaderResult = "read" | "refused" | "cut" | "failed" | "spared";

export interface ReaderReport {
  readonly userId: string;
  readonly result: ReaderResult;
  /** How many sequences this person saw. */
  readonly sequences: number;
  /** In HubSpot's words. */
  readonly problem?: string | undefined;
}

/** What is known about the last copy of a portal's directory. */
export interface DirectoryReport {
  readonly readers: readonly ReaderReport[];
  /** Records that could not be read, by the name of their list. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** The maximum number of readers of a portal's sequences: each costs the pages of a list. */
export const MOST_READERS = 5;
/** How many of the newest executions to search for senders. */
const LOOK_BACK = 200;

/**
 * The users as whom to read the portal's sequences, the best first: the one an admin chose, the installer, people with
 * a seat that includes sequences, recent senders, any owner. No deactivated users.
 */
export async function findSequenceReaders(pool: Pool, portalId: PortalId): Promise<UserId[]> {
  const { rows } = await pool.query<{ user_id: string }>({
    name: "find-sequence-readers",
    text: `
      WITH candidate AS (
        SELECT sequence_reader_user_id AS user_id, 1 AS rank FROM portal_settings WHERE portal_id = $1
        UNION ALL SELECT authorized_by_user_id, 2 FROM portals WHERE portal_id = $1
        UNION ALL SELECT user_id, 3 FROM users
          WHERE portal_id = $1 AND EXISTS (SELECT FROM unnest(seat_names) AS seat (name) WHERE name ~* 'sales|service')
        UNION ALL SELECT sender_user_id, 4 FROM (
          SELECT sender_user_id, enrollment_status FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT ${LOOK_BACK}
        ) AS latest WHERE enrollment_status = 'ENROLLED'
        UNION ALL SELECT user_id, 5 FROM owners WHERE portal_id = $1 AND type = 'PERSON' AND NOT is_archived
      )
      SELECT user_id FROM candidate
       WHERE user_id IS NOT NULL
         AND user_id NOT IN (${inactivePeople()})
       GROUP BY user_id ORDER BY min(rank), user_id LIMIT ${MOST_READERS}`,
    values: [portalId],
  });
  return rows.map(({ user_id }) => BigInt(user_id));
}

export interface NamedReader extends ReaderReport {
  /** The person's name, as far as it is known. */
  readonly label: string;
}

/** Undefined if no copy was made since this is recorded. */
export async function readDirectoryReport(
  pool: Pool,
  portalId: PortalId,
): Promise<(Omit<DirectoryReport, "readers"> & { readonly readers: readonly NamedReader[] }) | undefined> {
  const { rows } = await pool.query<{
    report: DirectoryReport | null;
    labels: Record<string, string> | null;
  }>(
    `SELECT directory_report AS report,
            (SELECT jsonb_object_agg(user_id, label) FROM (${peopleOf()}) AS person
              WHERE user_id::text IN (SELECT reader ->> 'userId' FROM jsonb_array_elements(directory_report -> 'readers') AS reader)) AS labels
       FROM portals WHERE portal_id = $1`,
    [portalId],
  );
  const { report = null, labels = null } = rows[0] ?? {};
  if (report === null) return undefined;
  const readers = report.readers.map((reader) => ({
    ...reader,
    label: labels?.[reader.userId] ?? unnamed(reader.userId),
  }));
  return { readers, leftOut: report.leftOut };
}

/** Requests a new copy of the portal's directory, to be made in its next turn. */
export async function requestCopy(pool: Pool, portalId: PortalId): Promise<void> {
  await pool.query(
    "UPDATE portals SET directory_requested_at = now() WHERE portal_id = $1 AND status = 'CONNECTED'",
    [portalId],
  );
}
