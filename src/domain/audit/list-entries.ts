import type { Database } from "#platform/db/client.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

export interface AuditItem {
  readonly id: bigint;
  readonly at: Date;
  readonly userId: UserId | null;
  readonly userEmail: string | null;
  readonly subject: string;
  readonly subjectName: string;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditEntries {
  readonly items: AuditItem[];
  /** Where the next page begins; undefined on the last one. */
  readonly olderThan: bigint | undefined;
}

const PAGE_SIZE = 25;

/** Filters of the entries; a missing field does not filter. */
export interface AuditFilter {
  readonly userId?: UserId | undefined;
  readonly subject?: string | undefined;
  /** Older than this id. */
  readonly before?: bigint | undefined;
}

/** Newest first. Ids grow with time, so the primary key gives the order. */
export async function listAuditEntries(
  { prisma }: Pick<Database, "prisma">,
  portalId: PortalId,
  { userId, subject, before }: AuditFilter,
): Promise<AuditEntries> {
  const rows = await prisma.auditEntry.findMany({
    where: {
      portalId,
      ...(userId === undefined ? {} : { userId }),
      ...(subject === undefined ? {} : { subject }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    },
    orderBy: { id: "desc" },
    take: PAGE_SIZE + 1,
  });
  const items = rows.slice(0, PAGE_SIZE);
  return { items, olderThan: rows.length > PAGE_SIZE ? items.at(-1)?.id : undefined };
}

/** A user who changed something, with the address of their last change. */
export interface AuditActor {
  readonly userId: UserId;
  readonly userEmail: string | null;
}

/** Entries to read to find who made them. */
const ACTORS_OF = 10_000;

/** Every user who made one of the portal's newest entries. */
export async function listAuditActors(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<AuditActor[]> {
  const { rows } = await pool.query<{ user_id: string; user_email: string | null }>(
    `SELECT DISTINCT ON (user_id) user_id, user_email FROM (
       SELECT id, user_id, user_email FROM audit_entries WHERE portal_id = $1 ORDER BY id DESC LIMIT $2
     ) AS newest WHERE user_id IS NOT NULL ORDER BY user_id, id DESC`,
    [portalId, ACTORS_OF],
  );
  return rows.map(({ user_id, user_email }) => ({ userId: BigInt(user_id), userEmail: user_email }));
}
