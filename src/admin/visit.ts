import type { Request } from "express";
import type { Database } from "../db/client.js";
import { findPortal, type PortalOverview } from "./portal-overview.js";
import type { Session, Sessions } from "./session.js";

/** Who is asking. Every page and form switches on this first; data is read for `session.portalId` alone. */
export type Visit =
  | { kind: "stranger" }
  | { kind: "disconnected"; session: Session; portal: PortalOverview } // signed in, but the app is gone from the portal
  | { kind: "admin"; session: Session; portal: PortalOverview };

export type AdminVisit = Extract<Visit, { kind: "admin" }>;

export async function identifyVisit(
  { database, sessions }: { database: Database; sessions: Sessions },
  request: Request,
): Promise<Visit> {
  const session = sessions.read(request);
  if (session === undefined) return { kind: "stranger" };
  const portal = await findPortal(database, session.portalId);
  if (portal === undefined) return { kind: "stranger" };
  return { kind: portal.isConnected ? "admin" : "disconnected", session, portal };
}
