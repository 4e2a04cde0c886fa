import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import { localDay } from "#platform/time/local-time.js";
import { ownValue } from "#platform/text/own-value.js";
import type { ContactHistory } from "./contact-history.js";
import type { Policy } from "#domain/contract/policy.js";
import { DAY_MS } from "#platform/time/units.js";

/** A contact that the customer's policy excludes. */
export interface ContactRefusal {
  readonly code: "UNSUBSCRIBED" | "BLOCKED" | "COOLDOWN_ACTIVE";
  /** SKIPPED: the customer's own choice; FAILED: the contact's own choice, whatever the customer wants. */
  readonly status: "SKIPPED" | "FAILED";
  /** What an admin reads. */
  readonly reason: string;
}

export interface ContactFacts {
  readonly sequenceId: string;
  /** As sent with the workflow's call, or read from HubSpot. */
  readonly properties: Readonly<Record<string, string | null>>;
  /** What we have enrolled the contact in; */
  readonly history: ContactHistory | undefined;
  readonly now: Date;
  /** The portal's time zone: days in the reason follow its calendar. */
  readonly timeZone: string;
}

function domainOf(email: string): string {
  return email
    .slice(email.lastIndexOf("@") + 1)
    .trim()
    .toLowerCase();
}

/** A list of domains, prepared for lookups. */
interface ListedDomains {
  /** Position of each in the list. */
  readonly positions: ReadonlyMap<string, number>;
  readonly longest: number;
}

/** Keyed by the list as it was read. */
const lists = new WeakMap<readonly string[], ListedDomains>();

function listOf(domains: readonly string[]): ListedDomains {
  const known = lists.get(domains);
  if (known !== undefined) return known;
  // Backward: if one is listed twice, the first counts.
  const positions = new Map([...domains.entries()].reverse().map(([at, listed]) => [listed, at]));
  const list = { positions, longest: domains.reduce((most, { length }) => Math.max(most, length), 0) };
  lists.set(domains, list);
  return list;
}

/** The first entry of the list that the domain equals or is below: looked up by its parts, however long the list. */
function suppressedDomain(domain: string, domains: readonly string[]): string | undefined {
  const { positions, longest } = listOf(domains);
  const found: number[] = [];
  // From the end, up to a part that is longer than every entry.
  for (let dot = domain.lastIndexOf("."); ; dot = domain.lastIndexOf(".", dot - 1)) {
    const position = positions.get(domain.slice(dot + 1));
    if (position !== undefined) found.push(position);
    if (dot <= 0 || domain.length - dot > longest) break;
  }
  return found.length === 0 ? undefined : domains[Math.min(...found)];
}

function refuseSuppressed({ suppression }: Policy, { properties }: ContactFacts): ContactRefusal | undefined {
  const listed = suppressedDomain(domainOf(properties["email"] ?? ""), suppression.domains);
  if (listed !== undefined) {
    const reason = `${listed} is on your blocked domains list.`;
    return { code: "BLOCKED", status: "SKIPPED", reason };
  }
  if (suppression.property === null) return undefined;
  const { name, values } = suppression.property;
  // A multiple-choice property holds all values, separated by semicolons.
  const held = new Set(
    (ownValue(properties, name) ?? "").split(";").map((value) => value.trim().toLowerCase()),
  );
  const found = values.find((value) => held.has(value.toLowerCase()));
  if (found === undefined) return undefined;
  const reason = `Blocked because ${name} is “${found}”.`;
  return { code: "BLOCKED", status: "SKIPPED", reason };
}

/** The contact's last enrollment, from which the cooldown counts: by its properties or our own history. */
function lastEnrolledMs({ cooldown }: Policy, facts: ContactFacts): number | undefined {
  const { properties, history, sequenceId, now } = facts;
  const isCounted = cooldown.scope === "any" || properties["hs_latest_sequence_enrolled"] === sequenceId;
  const byProperty = isCounted
    ? readHubSpotDate(properties["hs_latest_sequence_enrolled_date"], now)
    : undefined;
  const byUs = cooldown.scope === "any" ? history?.lastEnrolledAt : history?.lastEnrolledInSequenceAt;
  const known = [byProperty?.getTime(), byUs?.getTime()].filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function refuseCooling(policy: Policy, facts: ContactFacts): ContactRefusal | undefined {
  const { days, scope } = policy.cooldown;
  if (days === 0) return undefined;
  const lastMs = lastEnrolledMs(policy, facts);
  if (lastMs === undefined || facts.now.getTime() - lastMs >= days * DAY_MS) return undefined;
  const last = localDay(new Date(lastMs), facts.timeZone);
  const until = localDay(new Date(lastMs + days * DAY_MS), facts.timeZone);
  const what = scope === "any" ? "a sequence" : "this sequence";
  const reason = `The contact is in cooldown until ${until}: it was enrolled in ${what} on ${last}, less than ${days} days ago.`;
  return { code: "COOLDOWN_ACTIVE", status: "SKIPPED", reason };
}

/** Why the contact is not to be enrolled, before a request is spent on it; undefined: it may be enrolled. */
export function refuseContact(policy: Policy, facts: ContactFacts): ContactRefusal | undefined {
  const suppressed = refuseSuppressed(policy, facts);
  if (suppressed !== undefined) return suppressed;
  if (policy.checkOptOut && facts.properties["hs_email_optout"]?.toLowerCase() === "true") {
    return { code: "UNSUBSCRIBED", status: "FAILED", reason: "The contact has opted out of all email." };
  }
  return refuseCooling(policy, facts);
}

/** Contact properties the policy reads, besides those every call carries. */
export function neededProperties({ sender, suppression }: Policy): string[] {
  return [
    ...(sender.mode === "contact_property" ? [sender.property] : []),
    ...(suppression.property === null ? [] : [suppression.property.name]),
  ];
}
