import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { ContactChange } from "./contact-change.js";

/**
 * The fates of contacts that HubSpot reported as gone. Webhooks come in any order and are repeated for a day, and calls
 * for such a contact may still arrive for three days: until then each fate is remembered and applied to whatever comes
 * later.
 */
export interface ContactFate {
  readonly portalId: PortalId;
  readonly contactId: string;
  /** The contact it was merged into; null: it was erased, and nothing about it may be kept. */
  readonly becameId: string | null;
}

/** What HubSpot reported, once more: what has appeared since is treated the same. */
export function changeOf({ portalId, contactId, becameId }: ContactFate): ContactChange {
  if (becameId === null) return { kind: "erased", portalId, contactId };
  return { kind: "merged", portalId, contactIds: [contactId], into: becameId };
}

/** A call's transaction may commit this long after its id was assigned. */
const IN_FLIGHT_SECONDS = 120;
/** New executions of one portal to compare with its fates in one step. */
const CHECKED_AT_ONCE = 5_000;

/** Identifies a contact without revealing who it is. */
function contactKey(portalId: PortalId, contactId: string): string {
  return createHash("sha256").update(`${portalId}:${contactId}`).digest("hex");
}

const keyInSql = (portalId: string, contactId: string): string =>
  `encode(sha256(convert_to(${portalId} || ':' || ${contactId}, 'UTF8')), 'hex')`;

/** An erasure is final: a merge reported later does not undo it. */
const RECORD = `
  INSERT INTO contact_fates AS f (portal_id, contact_key, became_id)
  SELECT DISTINCT ON (portal_id, contact_key) * FROM unnest($1::bigint[], $2::text[], $3::text[])
    AS told (portal_id, contact_key, became_id) ORDER BY portal_id, contact_key, became_id NULLS FIRST
  ON CONFLICT (portal_id, contact_key) DO UPDATE
    SET became_id = CASE WHEN f.became_id IS NULL THEN NULL ELSE excluded.became_id END, told_at = now()`;

/** Each fate names the end of its chain, so that no contact in between, and nobody who was erased, stays named. */
const SHORTEN = `
  WITH settled AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS row (portal_id, contact_key, contact_id, became_id)
  ), found AS (
    SELECT portal_id, contact_key, s.became_id FROM settled s JOIN contact_fates f USING (portal_id, contact_key)
    UNION
    SELECT f.portal_id, f.contact_key, s.became_id FROM settled s
      JOIN contact_fates f ON f.portal_id = s.portal_id AND f.became_id = s.contact_id
  )
  UPDATE contact_fates f SET became_id = found.became_id FROM found
   WHERE f.portal_id = found.portal_id AND f.contact_key = found.contact_key AND f.became_id IS DISTINCT FROM found.became_id`;

/** Those of a portal's contacts that HubSpot reported as gone, each with what it became. */
export async function findFates(
  client: Pick<PoolClient, "query">,
  portalId: PortalId,
  contactIds: readonly string[],
): Promise<ContactFate[]> {
  const byKey = new Map(contactIds.map((contactId) => [contactKey(portalId, contactId), contactId]));
  const { rows } = await client.query<{ contact_key: string; became_id: string | null }>({
    name: "find-contact-fates",
    text: "SELECT contact_key, became_id FROM contact_fates WHERE portal_id = $1 AND contact_key = ANY ($2::text[])",
    values: [portalId, [...byKey.keys()]],
  });
  return rows.map((row) => ({
    portalId,
    contactId: byKey.get(row.contact_key) ?? "",
    becameId: row.became_id,
  }));
}

/** Stores the fates, overwriting earlier ones. */
async function recordFates(client: PoolClient, fates: readonly ContactFate[]): Promise<void> {
  await client.query(RECORD, [
    fates.map(({ portalId }) => portalId),
    fates.map(({ portalId, contactId }) => contactKey(portalId, contactId)),
    fates.map(({ becameId }) => becameId),
  ]);
}

type Contact = Pick<ContactFate, "portalId" | "contactId">;

/**
 * The fates of the contacts and of everything they were merged into, through any number of merges, in one statement.
 * UNION drops what was reached before, so circular merges end, and a long chain is read once.
 */
const REACHED = `
  WITH RECURSIVE reached AS (
    SELECT f.portal_id, f.contact_key, f.became_id FROM unnest($1::bigint[], $2::text[]) AS asked (portal_id, contact_key)
      JOIN contact_fates f USING (portal_id, contact_key)
    UNION
    SELECT f.portal_id, f.contact_key, f.became_id FROM reached r
      JOIN contact_fates f ON f.portal_id = r.portal_id AND f.contact_key = ${keyInSql("r.portal_id", "r.became_id")}
  ) SELECT contact_key, became_id FROM reached`;

/** By contact key; null: erased. */
type Fates = ReadonlyMap<string, string | null>;

async function readFates(client: PoolClient, contacts: readonly Contact[]): Promise<Fates> {
  const { rows } = await client.query<{ contact_key: string; became_id: string | null }>(REACHED, [
    contacts.map(({ portalId }) => portalId),
    contacts.map(({ portalId, contactId }) => contactKey(portalId, contactId)),
  ]);
  return new Map(rows.map((row) => [row.contact_key, row.became_id]));
}

/** HubSpot's ids grow: of contacts that were merged in a circle, the newest remains. */
function newestOf(contactIds: readonly string[]): string {
  return contactIds.reduce((one, other) =>
    other.length > one.length || (other.length === one.length && other > one) ? other : one,
  );
}

/** The path from a contact through its merges, and its end: the current id, or null if it was erased. */
function follow(
  { portalId, contactId }: Contact,
  { fates, ends }: { fates: Fates; ends: Fates },
): { way: readonly string[]; end: string | null } {
  const way = new Set<string>();
  for (let at = contactId; ;) {
    if (way.has(at)) return { way: [...way], end: newestOf([...way].slice([...way].indexOf(at))) };
    const key = contactKey(portalId, at);
    const known = ends.get(key);
    if (known !== undefined) return { way: [...way], end: known };
    const became = fates.get(key);
    if (became === undefined) return { way: [...way], end: at };
    way.add(at);
    if (became === null) return { way: [...way], end: null };
    at = became;
  }
}

/**
 * The final fate of each contact.
 *
 * @returns by contact key: the current id, or null if it was erased. Contacts without a fate are not in the map.
 */
async function followFates(client: PoolClient, contacts: readonly Contact[]): Promise<Fates> {
  const fates = await readFates(client, contacts);
  const ends = new Map<string, string | null>();
  for (const contact of contacts) {
    const { way, end } = follow(contact, { fates, ends });
    for (const contactId of way) ends.set(contactKey(contact.portalId, contactId), end);
  }
  return ends;
}

/**
 * Stores the fates and returns those of all given contacts, by what is known now: from this delivery and from earlier
 * ones, in whatever order they came.
 */
export async function settleFates(client: PoolClient, fates: readonly ContactFate[]): Promise<ContactFate[]> {
  if (fates.length === 0) return [];
  await recordFates(client, fates);
  const named = fates.flatMap(({ portalId, contactId, becameId }) =>
    [contactId, becameId].filter((id) => id !== null).map((id) => ({ portalId, contactId: id })),
  );
  const ends = await followFates(client, named);
  const settled = new Map<string, ContactFate>();
  for (const { portalId, contactId } of named) {
    const key = contactKey(portalId, contactId);
    const becameId = ends.get(key);
    if (becameId !== undefined && becameId !== contactId) settled.set(key, { portalId, contactId, becameId });
  }
  const all = [...settled.values()];
  await client.query(SHORTEN, [
    all.map(({ portalId }) => portalId),
    [...settled.keys()],
    all.map(({ contactId }) => contactId),
    all.map(({ becameId }) => becameId),
  ]);
  return all;
}

/**
 * The contacts into which erased ones had been merged. Call it before the erasure is recorded: after that nothing shows
 * what an erased contact became.
 */
export async function findSurvivors(client: PoolClient, erased: readonly Contact[]): Promise<Contact[]> {
  if (erased.length === 0) return [];
  const ends = await followFates(client, erased);
  return erased.flatMap(({ portalId, contactId }) => {
    const end = ends.get(contactKey(portalId, contactId)) ?? null;
    return end === null || end === contactId ? [] : [{ portalId, contactId: end }];
  });
}

/** A portal whose fates have to be compared with its new executions, and how far that has come; null: not begun. */
export interface FateCheck {
  readonly portalId: PortalId;
  readonly checkedId: string | null;
}

export async function listFateChecks(pool: Pool): Promise<FateCheck[]> {
  const { rows } = await pool.query<{ portal_id: string; checked_id: string | null }>(
    `SELECT portal_id, checked_id FROM (
       SELECT DISTINCT portal_id FROM contact_fates WHERE told_at > now() - interval '4 days'
     ) AS told LEFT JOIN contact_fate_checks USING (portal_id)`,
  );
  return rows.map(({ portal_id, checked_id }) => ({ portalId: BigInt(portal_id), checkedId: checked_id }));
}

/**
 * The next executions of a portal, and the contacts among them that have a fate. The first check begins with the newest
 * execution. Executions of the last minutes are checked again next time: older ids may commit after them.
 */
const CHECK = `
  WITH next AS (
    (SELECT e.portal_id, e.id, e.contact_id, e.accepted_at FROM executions e
      WHERE e.portal_id = $1 AND e.id > $2::bigint ORDER BY e.id LIMIT $3)
    UNION ALL
    (SELECT e.portal_id, e.id, e.contact_id, e.accepted_at FROM executions e
      WHERE e.portal_id = $1 AND $2::bigint IS NULL ORDER BY e.id DESC LIMIT $3)
  ), checked AS (
    INSERT INTO contact_fate_checks AS c (portal_id, checked_id)
    SELECT $1, max(id) FROM next WHERE accepted_at < now() - interval '1 second' * $4::int HAVING max(id) IS NOT NULL
    ON CONFLICT (portal_id) DO UPDATE SET checked_id = greatest(c.checked_id, excluded.checked_id)
  )
  SELECT DISTINCT e.contact_id, f.became_id FROM next e
    JOIN contact_fates f ON f.portal_id = e.portal_id AND f.contact_key = ${keyInSql("e.portal_id", "e.contact_id")}`;

/** Contacts of the portal that appeared again after HubSpot had reported them as gone. */
export async function findLateComers(pool: Pool, { portalId, checkedId }: FateCheck): Promise<ContactFate[]> {
  const { rows } = await pool.query<{ contact_id: string; became_id: string | null }>({
    name: "check-contact-fates",
    text: CHECK,
    values: [portalId, checkedId, CHECKED_AT_ONCE, IN_FLIGHT_SECONDS],
  });
  return rows.map(({ contact_id, became_id }) => ({ portalId, contactId: contact_id, becameId: became_id }));
}
