import type { ErrorCode } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";

/** Where an account and, on a contact's own page, the contact and its sender are found. */
export interface FixPlaces {
  readonly portalId: bigint;
  /** Origin of the account's HubSpot UI. */
  readonly hubspotUrl: string;
  readonly contactId?: string;
  readonly senderUserId?: string | null;
}

interface Fix {
  readonly href: string;
  readonly label: string;
}

type Place = "contact" | "sender" | "presets" | "rotations" | "reconnect" | "resume" | "sequences" | "calls";

/** Where each reason is fixed; one without a place is fixed in the workflow's step, or not at all. */
const PLACES: Readonly<Partial<Record<ErrorCode, Place>>> = {
  NOT_CONNECTED: "reconnect",
  MISSING_SCOPES: "reconnect",
  PORTAL_PAUSED: "resume",
  CONTACT_NOT_FOUND: "contact",
  CONTACT_HAS_NO_EMAIL: "contact",
  REPLACE_INCOMPLETE: "contact",
  OWNER_MISSING: "contact",
  OWNER_INACTIVE: "contact",
  UNSUBSCRIBED: "contact",
  BOUNCED: "contact",
  SEQUENCE_NOT_FOUND: "sequences",
  SENDER_NOT_ALLOWED: "sender",
  SENDER_LIMIT_REACHED: "sender",
  SENDER_NOT_PERMITTED: "sender",
  INBOX_NOT_CONNECTED: "sender",
  NO_SENDER_AVAILABLE: "rotations",
  ALREADY_ENROLLED: "presets",
  COOLDOWN_ACTIVE: "presets",
  BLOCKED: "presets",
  HUBSPOT_UNAVAILABLE: "calls",
  DEADLINE_EXCEEDED: "calls",
};

/** The page on which a reason is put right; undefined if there is none, or the contact it is about is not known. */
function fixOf(code: string, places: FixPlaces): Fix | undefined {
  const place = Object.hasOwn(PLACES, code) ? PLACES[code as ErrorCode] : undefined;
  const { portalId, hubspotUrl, contactId, senderUserId } = places;
  switch (place) {
    case undefined:
      return undefined;
    case "contact":
      return contactId === undefined || contactId === ERASED_CONTACT
        ? undefined
        : { href: contactUrl(places, contactId), label: "Open the contact in HubSpot" };
    case "sender":
      return senderUserId == null
        ? { href: "/settings/senders", label: "See the senders" }
        : { href: `/settings/senders/${senderUserId}`, label: "See the sender" };
    case "sequences":
      return { href: `${hubspotUrl}/sequences/${portalId}`, label: "Open the sequences in HubSpot" };
    case "reconnect":
      return { href: `/oauth/install?portalId=${portalId}`, label: "Connect again" };
    default:
      return PAGES[place];
  }
}

const PAGES = {
  presets: { href: "/settings/presets", label: "See the presets" },
  rotations: { href: "/settings/rotations", label: "See the rotations" },
  resume: { href: "/settings/danger", label: "Resume enrolling" },
  calls: { href: "/settings", label: "See how HubSpot answers" },
} as const satisfies Partial<Record<Place, Fix>>;

/** The contact's record in HubSpot. */
export function contactUrl({ hubspotUrl, portalId }: FixPlaces, contactId: string): string {
  return `${hubspotUrl}/contacts/${portalId}/record/0-1/${encodeURIComponent(contactId)}`;
}

/** The workflow in HubSpot's editor. */
export function flowUrl({ hubspotUrl, portalId }: FixPlaces, flowId: string): string {
  return `${hubspotUrl}/workflows/${portalId}/platform/flow/${encodeURIComponent(flowId)}/edit`;
}

export function FixLink({ code, places }: { code: string; places: FixPlaces }) {
  const fix = fixOf(code, places);
  if (fix === undefined) return null;
  const isOutside = fix.href.startsWith("http");
  return (
    <a href={fix.href} {...(isOutside ? { target: "_blank", rel: "noopener noreferrer" } : {})}>
      {fix.label}
    </a>
  );
}
