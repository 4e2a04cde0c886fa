import { useContext } from "preact/hooks";
import { ViewOnly } from "../session/view-only.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import type { CandidateVia } from "#domain/contract/sender-choice.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";
import { LONGEST_LABEL } from "./names.js";
import { RECONNECT_PATH } from "./paths.js";

/** Where an account is found, and, as far as they are known, those whom a reason is about. */
export interface FixPlaces {
  readonly portalId: PortalId;
  /** Origin of the account's HubSpot UI. */
  readonly hubspotUrl: string;
  readonly contactId?: string;
  readonly senderUserId?: string | null;
  /** What the sender is called. */
  readonly senderName?: string | null;
  /** The preset that was followed; null: the built-in rules. */
  readonly preset?: { readonly id: string; readonly name: string } | null;
  /** How the first sender who was considered came to be. */
  readonly via?: CandidateVia | undefined;
}

/** A verb and its object, and where that is done. */
interface Fix {
  readonly href: string;
  readonly label: string;
}

type FixOf = (places: FixPlaces) => Fix | undefined;

const inHubSpot =
  (label: string): FixOf =>
  (places) => {
    const { contactId } = places;
    const isKnown = contactId !== undefined && contactId !== ERASED_CONTACT && contactId !== UNKNOWN_CONTACT;
    return isKnown ? { href: contactUrl(places, contactId), label } : undefined;
  };

/** On the sender's page, at the field that is to be changed; without a known sender, the list of those with trouble. */
const ofSender =
  (field: string, label: (name: string) => string, among: Fix): FixOf =>
  ({ senderUserId, senderName }) =>
    senderUserId == null
      ? among
      : {
          href: `/settings/senders/${senderUserId}#${field}`,
          label: label(shorten(senderName ?? "the sender", LONGEST_LABEL)),
        };

const ofPreset: FixOf = ({ preset }) =>
  preset == null
    ? { href: "/settings/presets", label: "Edit presets" }
    : {
        href: `/settings/presets/${preset.id}`,
        label: `Edit preset ${shorten(preset.name, LONGEST_LABEL)}`,
      };

const reconnect: FixOf = () => ({ href: RECONNECT_PATH, label: "Reconnect" });

const TROUBLED: Fix = {
  href: "/settings/senders?show=troubled",
  label: "Review senders that need attention",
};
const SENDERS: Fix = { href: "/settings/senders", label: "Review senders" };
const PROGRESS: FixOf = () => ({ href: "/settings", label: "See how HubSpot is responding" });

const noSender: FixOf = (places) => {
  const { via, senderUserId } = places;
  if (senderUserId != null)
    return ofSender("window_from", (name) => `Change ${name}'s sending hours`, SENDERS)(places);
  if (via === "default_sender")
    return { href: "/settings/policy#default_sender", label: "Set a default sender" };
  return { href: "/settings/rotations", label: "Edit rotations" };
};

/** Where each reason is fixed; one without a place is fixed in the workflow's action, or not at all. */
const FIXES: Readonly<Partial<Record<ErrorCode, FixOf>>> = {
  NOT_CONNECTED: reconnect,
  MISSING_SCOPES: reconnect,
  PORTAL_PAUSED: () => ({ href: "/settings/danger", label: "Resume enrollment" }),
  CONTACT_NOT_FOUND: inHubSpot("Open the contact in HubSpot"),
  CONTACT_HAS_NO_EMAIL: inHubSpot("Add an email in HubSpot"),
  REPLACE_INCOMPLETE: inHubSpot("Open the contact in HubSpot"),
  OWNER_MISSING: inHubSpot("Assign an owner in HubSpot"),
  OWNER_INACTIVE: inHubSpot("Assign an owner in HubSpot"),
  UNSUBSCRIBED: inHubSpot("Open the contact in HubSpot"),
  BOUNCED: inHubSpot("Open the contact in HubSpot"),
  SEQUENCE_NOT_FOUND: ({ hubspotUrl, portalId }) => ({
    href: `${hubspotUrl}/sequences/${portalId}`,
    label: "Open the sequences in HubSpot",
  }),
  SENDER_NOT_ALLOWED: ofSender("allowed", (name) => `Approve ${name}`, SENDERS),
  SENDER_LIMIT_REACHED: ofSender("daily_cap", (name) => `Raise ${name}'s cap`, SENDERS),
  SENDER_NOT_PERMITTED: ofSender("refusal", (name) => `Review ${name}`, TROUBLED),
  INBOX_NOT_CONNECTED: ofSender("send_as_email", (name) => `Check ${name}'s inbox address`, TROUBLED),
  NO_SENDER_AVAILABLE: noSender,
  ALREADY_ENROLLED: ofPreset,
  COOLDOWN_ACTIVE: ofPreset,
  BLOCKED: ofPreset,
  HUBSPOT_UNAVAILABLE: PROGRESS,
  DEADLINE_EXCEEDED: PROGRESS,
};

/** How a reason is put right; undefined if it cannot be, or the contact it is about is not known. */
function fixOf(code: string, places: FixPlaces): Fix | undefined {
  return Object.hasOwn(FIXES, code) ? FIXES[code as ErrorCode]?.(places) : undefined;
}

/** The contact's record in HubSpot. */
export function contactUrl({ hubspotUrl, portalId }: FixPlaces, contactId: string): string {
  return `${hubspotUrl}/contacts/${portalId}/record/0-1/${encodeURIComponent(contactId)}`;
}

/** The workflow in HubSpot's editor. */
export function flowUrl({ hubspotUrl, portalId }: FixPlaces, flowId: string): string {
  return `${hubspotUrl}/workflows/${portalId}/platform/flow/${encodeURIComponent(flowId)}/edit`;
}

/** The sequence in HubSpot. */
export function sequenceUrl({ hubspotUrl, portalId }: FixPlaces, sequenceId: string): string {
  return `${hubspotUrl}/sequences/${portalId}/sequence/${encodeURIComponent(sequenceId)}`;
}

interface FixLinkModel {
  code: string;
  places: FixPlaces;
  isButton?: boolean;
}

/** Not for a viewer, if it leads to a form of this site. */
export function FixLink({ code, places, isButton = false }: FixLinkModel) {
  const isViewer = useContext(ViewOnly);
  const fix = fixOf(code, places);
  if (fix === undefined) return null;
  const isOutside = fix.href.startsWith("http");
  if (isViewer && !isOutside) return null;
  return (
    <a
      class={isButton ? "button" : undefined}
      href={fix.href}
      {...(isOutside ? { target: "_blank", rel: "noopener noreferrer" } : {})}
    >
      {fix.label}
      {isOutside ? " ↗" : ""}
    </a>
  );
}

/** Reasons that another sender would have got around. */
const ANOTHER_SENDER: readonly string[] = [
  "SENDER_NOT_ALLOWED",
  "SENDER_NOT_PERMITTED",
  "SENDER_LIMIT_REACHED",
  "INBOX_NOT_CONNECTED",
  "NO_SENDER_AVAILABLE",
  "OWNER_MISSING",
  "OWNER_INACTIVE",
];

/** Where somebody is named who sends instead; for a preset that is not known, the list of presets. */
export function FallbackLink({ code, preset }: { code: string; preset: FixPlaces["preset"] }) {
  const isViewer = useContext(ViewOnly);
  if (isViewer || !ANOTHER_SENDER.includes(code)) return null;
  const href = preset == null ? "/settings/presets" : `/settings/presets/${preset.id}#fallback_rotation_id`;
  return <a href={href}>Add a fallback sender</a>;
}
