import type { Request } from "express";
import type { Database } from "../../db/client.js";
import { findPortal, type PortalOverview } from "./portal-overview.js";
import { isRevoked } from "./revoked-sessions.js";
import { mayAdminister } from "./rights.js";
import type { Session, Sessions } from "./session.js";

/** Who is asking. Every page and form switches on this first; data is read for `session.portalId` alone. */
export type Visit =
  | { kind: "stranger" }
  | { kind: "disconnected"; session: Session; portal: PortalOverview } // may administer, but the app is gone from the portal
  | { kind: "not-admitted"; session: Session; portal: PortalOverview } // a user of the portal who may not administer it
  | { kind: "admin"; session: Session; portal: PortalOverview };

export type AdminVisit = Extract<Visit, { kind: "admin" }>;

export async function identifyVisit(
  { database, sessions }: { database: Database; sessions: Sessions },
  request: Request,
): Promise<Visit> {
  const session = sessions.read(request);
  if (session === undefined) return { kind: "stranger" };
  const { portalId, userId } = session;
  const [portal, isEnded, isAdmin] = await Promise.all([
    findPortal(database, portalId),
    isRevoked(database.pool, session),
    mayAdminister(database.pool, portalId, userId),
  ]);
  if (portal === undefined || isEnded || isOfEarlierConnection(session, portal)) return { kind: "stranger" };
  if (!isAdmin) return { kind: "not-admitted", session, portal };
  return { kind: portal.isConnected ? "admin" : "disconnected", session, portal };
}

/** Sessions keep whole seconds, and the two clocks may differ a little. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A disconnect ends every session: one from before does not come back to life when somebody connects the portal again. */
function isOfEarlierConnection(session: Session, portal: PortalOverview): boolean {
  return (
    portal.isConnected && session.signedInAt.getTime() + CLOCK_TOLERANCE_MS < portal.connectedSince.getTime()
  );
}
