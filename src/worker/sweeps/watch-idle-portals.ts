import type { Pool } from "pg";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import {
  CAN_RENEW_USER_LIST,
  HAD_USER_LIST,
  IDLE_SHARE,
  USER_LIST_READ_AT,
} from "#domain/directory/user-list.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { tellEach, type WatchOptions } from "./watch-portals.js";

/** HubSpot does not report that an account has removed the app: it has to be asked. */
const UNUSED = "interval '20 hours'";

/**
 * Connected portals whose grant was not used for most of a day, in random order, so that unusable ones do not keep
 * others waiting. Using it shows whether the account still has the app.
 */
export async function findUnusedGrants(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-unused-grants",
    text: `SELECT portal_id FROM portal_tokens JOIN portals USING (portal_id)
            WHERE status = 'CONNECTED' AND access_expires_at < now() - ${UNUSED} ORDER BY random() LIMIT ${IDLE_SHARE}`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/** Uses each grant; the vault logs the result and acts on it. */
export async function useGrants(
  portalIds: readonly PortalId[],
  accessTokenFor: (portalId: PortalId) => Promise<string>,
): Promise<void> {
  for (const portalId of portalIds) await accessTokenFor(portalId).catch(() => undefined);
}

const MESSAGE =
  "HubSpot has not let us read this account's users for more than a day, so we no longer learn who becomes a super admin " +
  "or stops being one. Connect the account again with the permission settings.users.read.";

/** Alerts the admins, once each time, that the list of admins can no longer be renewed. */
export async function tellOfFixedUserLists(options: WatchOptions): Promise<void> {
  const { pool } = options;
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-fixed-user-lists",
    text: `
      SELECT portal_id FROM portals p
       WHERE p.status = 'CONNECTED' AND NOT ${CAN_RENEW_USER_LIST} AND ${HAD_USER_LIST}
         AND ${USER_LIST_READ_AT} < now() - interval '1 day'
         AND NOT EXISTS (SELECT FROM alert_marks m WHERE m.portal_id = p.portal_id AND m.kind = 'USER_LIST_OLD'
                            AND m.raised_at > coalesce(p.users_read_at, '-infinity'))
       LIMIT 100`,
  });
  await tellEach(rows, options, ({ portalId }) =>
    raiseAlert(pool, { portalId, kind: "USER_LIST_OLD", message: MESSAGE, page: "/settings/access" }),
  );
}
