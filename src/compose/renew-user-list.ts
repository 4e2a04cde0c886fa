import { requestUserList } from "#domain/directory/user-list.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Foundation } from "./foundation.js";

/** Alongside the page or the answer: nobody waits for it. */
export function userListRenewal({ database, logger, wake }: Foundation): (portalId: PortalId) => void {
  return (portalId) => {
    requestUserList(database.pool, portalId)
      .then((isAsked) => {
        if (isAsked) wake(portalId);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error, portalId }, "a reading of the user list could not be asked for");
      });
  };
}
