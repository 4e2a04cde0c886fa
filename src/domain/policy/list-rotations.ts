import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { MAX_ROTATIONS, type Member, type StoredRotation } from "./rotation-store.js";

/** The first MAX_ROTATIONS rotations of a portal, by name. */
export function listRotationNames(
  { prisma }: Pick<Database, "prisma">,
  portalId: PortalId,
): Promise<Pick<StoredRotation, "rotationId" | "name">[]> {
  return prisma.rotation.findMany({
    where: { portalId },
    select: { rotationId: true, name: true },
    orderBy: [{ name: "asc" }, { rotationId: "asc" }],
    take: MAX_ROTATIONS,
  });
}

/** A rotation in a list: only its first members are named. */
export interface ListedRotation {
  readonly rotationId: bigint;
  readonly name: string;
  readonly memberCount: number;
  readonly totalWeight: number;
  readonly picks: number;
  readonly firstMembers: readonly Member[];
}

/** How many members a list names; the others are counted. */
const NAMED_MEMBERS = 6;

/** The first MAX_ROTATIONS rotations of a portal, by name. The database adds up their members. */
export async function listRotations(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<ListedRotation[]> {
  const { rows } = await pool.query<{
    rotation_id: string;
    name: string;
    member_count: number;
    total_weight: number;
    picks: string;
    first_members: { user_id: string; weight: number }[];
  }>(
    `SELECT r.rotation_id, r.name, m.*
       FROM (SELECT * FROM rotations WHERE portal_id = $1 ORDER BY name, rotation_id LIMIT ${MAX_ROTATIONS}) AS r,
            LATERAL (SELECT count(*)::int AS member_count, coalesce(sum(weight), 0)::int AS total_weight, coalesce(sum(picks), 0) AS picks,
                            coalesce(json_agg(json_build_object('user_id', user_id::text, 'weight', weight) ORDER BY user_id)
                              FILTER (WHERE place <= ${NAMED_MEMBERS}), '[]') AS first_members
                       FROM (SELECT *, row_number() OVER (ORDER BY user_id) AS place FROM rotation_members
                              WHERE portal_id = r.portal_id AND rotation_id = r.rotation_id) AS member) AS m
      ORDER BY r.name, r.rotation_id`,
    [portalId],
  );
  return rows.map((row) => ({
    rotationId: BigInt(row.rotation_id),
    name: row.name,
    picks: Number(row.picks),
    memberCount: row.member_count,
    totalWeight: row.total_weight,
    firstMembers: row.first_members.map(({ user_id, weight }) => ({ userId: BigInt(user_id), weight })),
  }));
}
