import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/**
 * Who changes something, and in which portal. Every verb that writes takes one, changes that portal alone, asks
 * `requireRight` (actor-rights.ts) first and names the actor in its audit entry.
 */
export type Actor = Admin | Viewer | HubSpotTab | ApiKey | System | Visitor | MailRecipient;

/** A user who may administer the portal, on the settings site. */
export interface Admin extends Person {
  readonly kind: "admin";
}

/** A user who may look at everything on the settings site, or in the tab, and change nothing. */
export interface Viewer extends Person {
  readonly kind: "viewer";
}

/** An admin in the settings tab inside HubSpot, identified by HubSpot's signing proxy. */
export interface HubSpotTab extends Person {
  readonly kind: "hubspotTab";
}

/** A program of the customer's, also one that a person calls by hand. */
export interface ApiKey {
  readonly kind: "apiKey";
  readonly portalId: PortalId;
  readonly keyId: bigint;
  /** As its admins call it. */
  readonly name: string;
  readonly scopes: readonly ApiScope[];
}

/**
 * What a key can be allowed to do: read enrollments and what they depend on, or enroll and change enrollments. Never what
 * admins decide, who has access, nor the connection itself.
 */
export const API_SCOPES = ["enrollments:read", "enrollments:write"] as const;
export type ApiScope = (typeof API_SCOPES)[number];

/** Whoever acts without a user of the portal: the operator by a command, HubSpot by its answers, the app on its own. */
export interface System {
  readonly kind: "system";
  readonly portalId: PortalId;
  readonly part: "operator" | "hubspot" | "worker";
}

/** Someone whom HubSpot has just named to us, whether or not they may administer the portal. */
export interface Visitor extends Person {
  readonly kind: "visitor";
}

/** Whoever uses a link that was mailed to an address. */
export interface MailRecipient {
  readonly kind: "mailRecipient";
  readonly portalId: PortalId;
  readonly address: string;
}

interface Person {
  readonly portalId: PortalId;
  readonly userId: UserId | null;
  readonly userEmail: string | null;
}

/** An actor as the audit names it. */
export interface Author {
  readonly userId: UserId | null;
  /** An address, or what else the actor is called. */
  readonly userEmail: string | null;
}

const SYSTEM_NAMES: Readonly<Record<System["part"], string>> = {
  operator: "The operator of this service",
  hubspot: "HubSpot",
  worker: "Sequence Enroller",
};

export function authorOf(actor: Actor): Author {
  switch (actor.kind) {
    case "admin":
    case "viewer":
    case "hubspotTab":
    case "visitor":
      return { userId: actor.userId, userEmail: actor.userEmail };
    case "apiKey":
      return { userId: null, userEmail: `API key “${actor.name}”` };
    case "system":
      return { userId: null, userEmail: SYSTEM_NAMES[actor.part] };
    case "mailRecipient":
      return { userId: null, userEmail: actor.address };
  }
}
