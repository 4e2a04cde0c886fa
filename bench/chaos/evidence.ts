import { writeFileSync } from "node:fs";
import path from "node:path";
import { query } from "../../test/support/sql.js";
import type { Stage } from "./stage.js";
import type { Verdict } from "./verdict.js";
import type { Cast } from "./workload.js";

/** Contacts beyond this many tell nothing new. */
const CONTACTS_AT_MOST = 30;

/**
 * Writes down what the app and HubSpot hold of the contacts for whom a promise was broken, beside the logs: the database is
 * gone once the stage is closed.
 */
export async function keepEvidence(
  stage: Stage,
  casts: readonly Cast[],
  { problems, overCap }: Verdict,
): Promise<void> {
  const contacts = await Promise.all(
    problems.slice(0, CONTACTS_AT_MOST).map(async (problem) => {
      const { portalId, contactId } = problem;
      const portal = casts.find((cast) => cast.portal.portalId === portalId)?.portal;
      const executions = await query(
        stage.database.url,
        `SELECT * FROM executions WHERE portal_id = ${portalId} AND contact_id = '${contactId}' ORDER BY id`,
      );
      const enrollments = portal?.enrollments.all().filter((one) => one.contactId === contactId);
      return { ...problem, executions, enrollments, contact: portal?.contacts.get(contactId) };
    }),
  );
  const senders =
    overCap === 0
      ? []
      : await query(
          stage.database.url,
          `SELECT portal_id, sender_user_id, state, enrollment_status, error_code, count(*) FROM executions
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
        );
  const text = JSON.stringify(
    { contacts, senders },
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
    2,
  );
  writeFileSync(path.join(stage.logDir, "evidence.json"), text);
}
