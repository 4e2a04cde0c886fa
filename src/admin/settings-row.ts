import type { Database } from "../db/client.js";

/** What an admin decided for the portal. */
export interface PortalChoices {
  defaultSenderUserId: bigint | null;
  /** Of the settings row; 0 where none was saved yet. Goes into each form and comes back with it. */
  version: number;
}

export async function findChoices(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
): Promise<PortalChoices> {
  const row = await prisma.portalSettings.findUnique({ where: { portalId } });
  return {
    defaultSenderUserId: row?.defaultSenderUserId ?? null,
    version: row?.version ?? 0,
  };
}

const COLUMNS = {
  defaultSenderUserId: "default_sender_user_id",
} as const;

/** One choice, and the version its form was filled in from. */
export interface Choice<Name extends keyof typeof COLUMNS = keyof typeof COLUMNS> {
  name: Name;
  value: PortalChoices[Name];
  version: number;
}

/** Changes one choice and leaves the others. False where somebody saved since the form was shown: nothing is changed then. */
export async function saveChoice(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  { name, value, version }: Choice,
): Promise<boolean> {
  const column = COLUMNS[name];
  const { rowCount } = await pool.query(
    `INSERT INTO portal_settings AS s (portal_id, ${column}, version) VALUES ($1, $2, 1)
     ON CONFLICT (portal_id) DO UPDATE SET ${column} = excluded.${column}, version = s.version + 1, updated_at = now()
       WHERE s.version = $3`,
    [portalId, value, version],
  );
  return rowCount === 1;
}
