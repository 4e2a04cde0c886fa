import type { Pool } from "pg";
import type { PortalGateway, SequenceInFull } from "#platform/hubspot/gateway.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { findSequenceReaders } from "./report.js";

/** A sequence of our copy. */
export interface KnownSequence {
  readonly id: string;
  readonly name: string;
  readonly folderId: string | null;
  /** Null: not known. */
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
}

/** By name, then by id: where a page ends. */
export interface SequencePlace {
  readonly name: string;
  readonly id: string;
}

export interface SequenceQuestion {
  /** Part of the name, in any case of letters. */
  readonly name?: string | undefined;
  readonly limit: number;
  readonly after?: SequencePlace | undefined;
}

type Row = KnownSequence & { readonly sort_name: string };

const COLUMNS = `sequence_id AS id, name, folder_id AS "folderId", hubspot_created_at AS "createdAt", hubspot_updated_at AS "updatedAt"`;

/** Sequences that HubSpot lists, by name. */
export async function listKnownSequences(
  pool: Pool,
  portalId: PortalId,
  { name, limit, after }: SequenceQuestion,
): Promise<{ sequences: KnownSequence[]; next: SequencePlace | undefined }> {
  const { rows } = await pool.query<Row>({
    name: "list-known-sequences",
    text: `SELECT ${COLUMNS}, lower(name) COLLATE "C" AS sort_name FROM sequences
            WHERE portal_id = $1 AND is_listed AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0)
              AND ($3::text IS NULL OR (lower(name) COLLATE "C", sequence_id) > ($3, $4))
            ORDER BY sort_name, sequence_id LIMIT $5`,
    values: [portalId, name ?? null, after?.name ?? null, after?.id ?? null, limit + 1],
  });
  const sequences = rows.slice(0, limit);
  const last = rows.length > limit ? sequences.at(-1) : undefined;
  return { sequences, next: last && { name: last.sort_name, id: last.id } };
}

/** Users as whom one sequence is asked for: each costs a request, and nobody waits for many. */
const MOST_READERS = 3;

/** A sequence with its steps. Both null: HubSpot shows them to nobody who was asked. */
export type SequenceDetail = KnownSequence &
  (Pick<SequenceInFull, "steps" | "settings"> | { readonly steps: null; readonly settings: null });

/**
 * A sequence that HubSpot lists, with its steps and settings as they are there now. Undefined: the account has no such
 * sequence. HubSpot shows one only to users who may see it, so several are tried; its documents let apps that a whole account
 * installs read none at all, and then what our copy has is everything.
 *
 * @throws HubSpot's faults.
 */
export async function readSequence(
  { pool, gateway }: { pool: Pool; gateway: PortalGateway },
  portalId: PortalId,
  id: string,
): Promise<SequenceDetail | undefined> {
  const { rows } = await pool.query<KnownSequence>(
    `SELECT ${COLUMNS} FROM sequences WHERE portal_id = $1 AND is_listed AND sequence_id = $2`,
    [portalId, id],
  );
  const [known] = rows;
  if (known === undefined) return undefined;
  const readers = await findSequenceReaders(pool, portalId);
  for (const userId of readers.slice(0, MOST_READERS)) {
    const found = await asUser(gateway, { userId, sequenceId: id });
    if (found !== undefined) {
      const { name, folderId, createdAt = known.createdAt, updatedAt = known.updatedAt } = found;
      const { steps, settings } = found;
      return { id, name, folderId: folderId ?? known.folderId, createdAt, updatedAt, steps, settings };
    }
  }
  return { ...known, steps: null, settings: null };
}

/** A user who may not use sequences is refused with 403. */
async function asUser(
  gateway: PortalGateway,
  asked: { userId: UserId; sequenceId: string },
): Promise<SequenceInFull | undefined> {
  try {
    return await gateway.readSequence(asked);
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus === 403) return undefined;
    throw error;
  }
}
