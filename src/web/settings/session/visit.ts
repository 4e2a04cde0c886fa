import type { Request } from "express";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Admin, Viewer } from "#domain/contract/actor.js";
import type { UserList } from "#domain/directory/user-list.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { readPause, type Pause } from "#domain/accounts/portal-pause.js";
import { readStanding, type AccountRole } from "#domain/accounts/rights.js";
import type { Session, Sessions } from "./session.js";

/**
 * Who is asking. Every page and form switches on this first; data is read for `session.portalId` alone. `userList` tells
 * how far the copy can be relied on that says who an admin is.
 */
export type Visit =
  | { kind: "stranger" }
  | { kind: "disconnected"; session: Session; portal: PortalOverview } // an admin, but the app is gone from the portal
  | { kind: "not-admitted"; session: Session; portal: PortalOverview } // a user of the portal who may not look at it now
  | {
      kind: "member";
      role: AccountRole;
      session: Session;
      portal: PortalOverview;
      userList: UserList;
      pause?: Pause;
    };

/** A visit of somebody who may look at the pages; an admin may change things, too. */
export type MemberVisit = Extract<Visit, { kind: "member" }>;

export function actorOf({ role, session: { portalId, userId, userEmail } }: MemberVisit): Admin | Viewer {
  return { kind: role, portalId, userId, userEmail };
}

export interface VisitOptions {
  database: Database;
  sessions: Sessions;
  /** Has HubSpot asked for the account's users, if that was not done lately; never fails. */
  renewUserList: (portalId: PortalId) => void;
}

export async function identifyVisit(options: VisitOptions, request: Request): Promise<Visit> {
  const session = options.sessions.read(request);
  return session === undefined ? { kind: "stranger" } : judgeSession(options, session);
}

/** Who somebody is in the account of one of their sessions, as of now. */
export async function judgeSession(
  { database, renewUserList }: Omit<VisitOptions, "sessions">,
  session: Session,
): Promise<Visit> {
  const standing = await readStanding(database.pool, session);
  if (standing === undefined || standing.isSessionEnded) return { kind: "stranger" };
  const { portal, role, userList } = standing;
  if (isOfEarlierConnection(session, portal)) return { kind: "stranger" };
  if (userList.isDue) renewUserList(portal.portalId);
  if (role === undefined) return { kind: "not-admitted", session, portal };
  // Whoever may only look has nothing to look at, and cannot connect it again.
  if (!portal.isConnected)
    return { kind: role === "admin" ? "disconnected" : "not-admitted", session, portal };
  const visit = { kind: "member", role, session, portal, userList } as const;
  if (portal.pausedAt === null) return visit;
  return { ...visit, pause: await readPause(database.pool, portal.portalId, portal.pausedAt) };
}

/** Both times are the database's; sessions keep whole seconds, and an install's two transactions are some time apart. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A disconnect ends every session: one from before does not come back to life when somebody connects the portal again. */
function isOfEarlierConnection(session: Session, portal: PortalOverview): boolean {
  return (
    portal.isConnected && session.signedInAt.getTime() + CLOCK_TOLERANCE_MS < portal.connectedSince.getTime()
  );
}
