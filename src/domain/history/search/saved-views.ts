import type { Pool } from "pg";
import { z } from "zod";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { narrowingOf, QUERY_FIELDS, type ActivityQuery } from "../activity-query.js";

/** A filter of the list under a name that all who look at the account see. */
export interface SavedView {
  readonly id: bigint;
  readonly name: string;
  readonly query: ActivityQuery["given"];
}

/** This many fit above the list. */
export const MOST_VIEWS = 20;
export const LONGEST_VIEW_NAME = 40;

/** What names a contact: a view would keep it beyond the contact's deletion. */
const WHOM: readonly string[] = ["q", "contact"];

/** Whether a filter can be saved: it narrows the list down, and names no contact. */
export function isSavable({ given, ignored }: ActivityQuery): boolean {
  const fields = Object.keys(narrowingOf(given));
  return fields.length > 0 && ignored.length === 0 && !fields.some((field) => WHOM.includes(field));
}

const storedQuery = z.partialRecord(z.enum(QUERY_FIELDS), z.string()).catch({});

/** An account's views, by name. */
export async function listViews(pool: Pool, portalId: PortalId): Promise<SavedView[]> {
  const { rows } = await pool.query<{ id: string; name: string; query: unknown }>({
    name: "activity-views",
    text: `SELECT id, name, query FROM activity_views WHERE portal_id = $1 ORDER BY lower(name), id LIMIT ${MOST_VIEWS}`,
    values: [portalId],
  });
  return rows.map(({ id, name, query }) => ({ id: BigInt(id), name, query: storedQuery.parse(query) }));
}

/** Gives a filter a name; `undefined` if it was saved. The transaction holds the portal's row, so that two at once count each other. */
export async function saveView(
  pool: Pool,
  actor: Actor,
  { name, query }: { readonly name: string; readonly query: ActivityQuery },
): Promise<"not-savable" | "too-many" | "name-taken" | undefined> {
  requireRight(actor, "saveView");
  const { portalId } = actor;
  const isNamed = name !== "" && name.length <= LONGEST_VIEW_NAME;
  if (!isNamed || !isSavable(query)) return "not-savable";
  return inTransaction(pool, async (client) => {
    await client.query("SELECT FROM portals WHERE portal_id = $1 FOR NO KEY UPDATE", [portalId]);
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM activity_views WHERE portal_id = $1",
      [portalId],
    );
    if ((rows[0]?.count ?? 0) >= MOST_VIEWS) return "too-many";
    const { rowCount } = await client.query(
      "INSERT INTO activity_views (portal_id, name, query) VALUES ($1, $2, $3) ON CONFLICT (portal_id, name) DO NOTHING",
      [portalId, name, JSON.stringify(query.given)],
    );
    if (rowCount !== 1) return "name-taken";
    await recordChange(client, actor, {
      subject: "view",
      subjectName: name,
      action: "CREATED",
      after: { filter: query.filter },
    });
    return undefined;
  });
}

/** Resolves with the view that was deleted; undefined if there is none such. */
export async function deleteView(pool: Pool, actor: Actor, id: bigint): Promise<string | undefined> {
  requireRight(actor, "deleteView");
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ name: string; query: unknown }>(
      "DELETE FROM activity_views WHERE portal_id = $1 AND id = $2 RETURNING name, query",
      [actor.portalId, id],
    );
    const [deleted] = rows;
    if (deleted === undefined) return undefined;
    await recordChange(client, actor, {
      subject: "view",
      subjectName: deleted.name,
      action: "DELETED",
      before: { filter: storedQuery.parse(deleted.query) },
    });
    return deleted.name;
  });
}
