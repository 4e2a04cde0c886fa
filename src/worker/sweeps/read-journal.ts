import type { Pool } from "pg";
import type { Vault } from "#domain/vault/vault.js";
import {
  JournalOffsetGone,
  type Journal,
  type LifecycleEvent,
} from "#platform/hubspot/journal/journal-api.js";
import type { Logger } from "#platform/observability/logger.js";
import { inOneProcess } from "./in-one-process.js";

export interface ReadJournalOptions {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly vault: Pick<Vault, "currentGrant" | "disconnect">;
  /** Undefined unless the operator turned it on. */
  readonly journal: Journal | undefined;
  readonly isEnding: () => boolean;
}

/** This job's advisory lock in the database. */
const LOCK = 7_210_401;
/** Entries of one run: the rest waits for the next. */
const MOST_ENTRIES = 50;
/** HubSpot's clock and the database's may differ by so much: a grant this close to an uninstall may be a later install's. */
const CLOCKS_DIFFER_MS = 5_000;

/**
 * Reads what HubSpot's journal says about the app since the last time, in one process at a time, and disconnects accounts
 * that uninstalled it. Installs are connected by the browser that comes back to us; here they are only logged. Each entry's offset is
 * stored once its events are dealt with: what a process leaves undone is done again, which changes nothing.
 */
export async function readJournal(options: ReadJournalOptions): Promise<void> {
  const { pool, journal, isEnding } = options;
  if (journal === undefined) return;
  await inOneProcess({ pool, lock: LOCK }, async () => {
    let offset = await storedOffset(pool);
    for (let count = 0; count < MOST_ENTRIES && !isEnding(); count += 1) {
      const entry = await nextEntry(options, journal, offset);
      if (entry === undefined) return;
      for (const event of entry.events) await dealWith(options, event);
      offset = entry.offset;
      await pool.query(
        `INSERT INTO journal_position (id, read_to, updated_at) VALUES (1, $1, now())
         ON CONFLICT (id) DO UPDATE SET read_to = excluded.read_to, updated_at = excluded.updated_at`,
        [offset],
      );
    }
  });
}

async function storedOffset(pool: Pool): Promise<string | undefined> {
  const { rows } = await pool.query<{ read_to: string }>("SELECT read_to FROM journal_position WHERE id = 1");
  return rows[0]?.read_to;
}

/** If the stored offset is too old, HubSpot's oldest entry is all there is to continue from. */
async function nextEntry({ logger }: ReadJournalOptions, journal: Journal, offset: string | undefined) {
  try {
    return await journal.next(offset);
  } catch (error) {
    if (!(error instanceof JournalOffsetGone)) throw error;
    logger.warn({ err: error }, "HubSpot's journal is read again from its oldest entry");
    return journal.next(undefined);
  }
}

async function dealWith(
  { vault, logger }: ReadJournalOptions,
  { what, portalId, occurredAt }: LifecycleEvent,
): Promise<void> {
  if (what === "install") {
    logger.info({ portalId, occurredAt }, "HubSpot's journal reports an install");
    return;
  }
  const grant = await vault.currentGrant(portalId);
  if (grant === undefined) return;
  // Installed again since. If not, the next use of the grant shows it.
  if (grant.grantedAt.getTime() > occurredAt.getTime() - CLOCKS_DIFFER_MS) return;
  const reason = "The app was uninstalled in HubSpot.";
  const actor = { kind: "system", portalId, part: "hubspot" } as const;
  if (await vault.disconnect({ actor, reason, uninstalledInHubSpot: true }, { grant }))
    logger.warn({ portalId, occurredAt }, "HubSpot's journal reports an uninstall; portal disconnected");
}
