import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction, type AdminAction } from "#domain/history/admin-actions.js";
import { createBulkJob, stopBulkJob, type BulkJobCreation } from "#domain/history/bulk-jobs.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Session } from "../session/session.js";
import type { ActivityQuery } from "#domain/history/activity-query.js";
import { readAuditedState } from "#domain/history/audited-state.js";
import { ACTION_WORDS, describeQuery } from "../words/activity-words.js";

/** Does one thing to one execution, with its entry in the audit. False where it no longer applied. */
export async function actOnOne(
  pool: Pool,
  session: Session,
  { action, id }: { action: AdminAction; id: bigint },
): Promise<boolean> {
  const { portalId } = session;
  return inTransaction(pool, async (client) => {
    const before = await readAuditedState(client, portalId, { id, action });
    const changed = await applyAction(client, action, { portalId, ids: [id] });
    if (changed === 0) return false;
    const after = await readAuditedState(client, portalId, { id, action });
    const audit = ACTION_WORDS[action].audit;
    await recordChange(client, {
      by: session,
      subject: "executions",
      subjectName: `execution ${id}`,
      action: audit,
      before,
      after,
    });
    return true;
  });
}

/** Asks the workers to do it to everything that matches. */
export async function actOnMany(
  pool: Pool,
  session: Session,
  { action, query }: { action: AdminAction; query: ActivityQuery },
): Promise<BulkJobCreation> {
  const { portalId, userId, userEmail } = session;
  return inTransaction(pool, async (client) => {
    const job = { action, filter: query.filter, userId, userEmail };
    const creation = await createBulkJob(client, portalId, job);
    if (creation.kind !== "created") return creation;
    const { filter, given } = withoutWhom(query);
    const after = { job: String(creation.id), filter };
    const audit = ACTION_WORDS[action].audit;
    await recordChange(client, {
      by: session,
      subject: "executions",
      subjectName: describeQuery(given),
      action: audit,
      after,
    });
    return creation;
  });
}

/** The audit is kept for years, beyond a person's deletion: how was searched is kept, not for whom. */
function withoutWhom({ filter, given }: ActivityQuery): Pick<ActivityQuery, "filter" | "given"> {
  const search = filter.search?.includes("@") === true ? "an address" : "an id or part of an address";
  const contact = "one contact";
  return {
    filter: {
      ...filter,
      ...(filter.search === undefined ? {} : { search }),
      ...(filter.contactId === undefined ? {} : { contactId: contact }),
    },
    given: {
      ...given,
      ...(given.q === undefined ? {} : { q: search }),
      ...(given.contact === undefined ? {} : { contact }),
    },
  };
}

/** False where the job had ended before. */
export async function stopJob(pool: Pool, session: Session, id: bigint): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    if (!(await stopBulkJob(client, { portalId: session.portalId, id }))) return false;
    await recordChange(client, {
      by: session,
      subject: "executions",
      subjectName: `bulk job ${id}`,
      action: "STOPPED",
      before: { jobState: "under_way" },
      after: { jobState: "stopped" },
    });
    return true;
  });
}
