import type { Pool, PoolClient } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";

/** For how many days a cause can be put aside. */
export const SNOOZE_DAYS = [1, 7, 30] as const;

/** A cause as a form names it. */
export interface CauseKey {
  readonly code: string;
  /** Kind and id of what it is about, with a colon between; empty: nothing in particular. */
  readonly subject: string;
}

/** The cause that two texts name; undefined if they name none. */
export function readCauseKey(code: string, subject: string): CauseKey | undefined {
  const isKey = /^[A-Z_]{1,60}$/.test(code) && /^(?:(?:sender|sequence|workflow):\d{1,18})?$/.test(subject);
  return isKey ? { code, subject } : undefined;
}

/**
 * Puts a cause aside for some days, whatever contacts it affects until then. If it already is, the new number of days
 * applies.
 */
export async function snoozeCause(
  pool: Pool,
  actor: Actor,
  { key, days }: { readonly key: CauseKey; readonly days: number },
): Promise<void> {
  requireRight(actor, "snoozeCause");
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ until: Date }>(
      `INSERT INTO snoozed_causes (portal_id, code, subject, until) VALUES ($1, $2, $3, now() + $4::int * interval '1 day')
       ON CONFLICT (portal_id, code, subject) DO UPDATE SET until = excluded.until RETURNING until`,
      [actor.portalId, key.code, key.subject, days],
    );
    await client.query("DELETE FROM snoozed_causes WHERE portal_id = $1 AND until <= now()", [
      actor.portalId,
    ]);
    await note(client, actor, { key, after: rows[0]?.until });
  });
}

/** Shows a cause again before its time. False: it was not put aside. */
export async function wakeCause(pool: Pool, actor: Actor, key: CauseKey): Promise<boolean> {
  requireRight(actor, "wakeCause");
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ until: Date }>(
      "DELETE FROM snoozed_causes WHERE portal_id = $1 AND code = $2 AND subject = $3 RETURNING until",
      [actor.portalId, key.code, key.subject],
    );
    const [snoozed] = rows;
    if (snoozed === undefined) return false;
    await note(client, actor, { key, before: snoozed.until });
    return true;
  });
}

async function note(
  client: PoolClient,
  actor: Actor,
  { key, before, after }: { key: CauseKey; before?: Date; after?: Date | undefined },
): Promise<void> {
  const [kind, id] = key.subject.split(":");
  const about = {
    sender: { sender: { userId: id } },
    sequence: { sequenceId: id },
    workflow: { workflowId: id },
  };
  const isAbout = (text: string | undefined): text is keyof typeof about => Object.hasOwn(about, text ?? "");
  await recordChange(client, actor, {
    subject: "attention",
    subjectName: "A cause that needs attention",
    action: after === undefined ? "WOKEN" : "SNOOZED",
    before: { snoozedUntil: before?.toISOString() ?? null },
    after: {
      errorCode: key.code,
      ...(isAbout(kind) ? about[kind] : {}),
      snoozedUntil: after?.toISOString() ?? null,
    },
  });
}
