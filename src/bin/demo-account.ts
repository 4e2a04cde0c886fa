import type { SimulatedUser } from "../simulator/portal/model.js";
import type { SimulatedPortal } from "../simulator/portal.js";
import type { Simulator } from "../simulator/simulator.js";

/** Contacts with an email at this domain are on the demo's suppression list. */
export const SUPPRESSED_DOMAIN = "competitor.example";
const DAY_MS = 86_400_000;

/** The simulated account: its people, and the contacts of its two workflows. */
export interface DemoAccount {
  readonly portal: SimulatedPortal;
  /** The sequence both workflows enroll in. */
  readonly sequenceId: string;
  readonly people: DemoPeople;
  /** Contact ids, in the order in which they reach the step. */
  readonly outbound: readonly string[];
  readonly inbound: readonly string[];
}

/** Reps whose inbox is their sign-in address. Only the two capped reps use up their cap. */
export interface DemoPeople {
  readonly reps: readonly SimulatedUser[];
  readonly cappedOutbound: SimulatedUser;
  readonly cappedInbound: SimulatedUser;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_unused, index) => make(index));
}

/** The reps own the contacts in turn. */
function contactsOf(portal: SimulatedPortal, owners: readonly SimulatedUser[], count: number): string[] {
  return times(count, (index) => {
    const owner = owners[index % owners.length] as SimulatedUser;
    const { ownerId } = portal.ownerOfUser(owner.userId);
    return portal.addContact({ properties: { hubspot_owner_id: ownerId } }).id;
  });
}

function coolingContact(portal: SimulatedPortal, sequenceId: string): string {
  const { id } = portal.addContact();
  portal.enrollInUi(id, { sequenceId, agoMs: 5 * DAY_MS });
  portal.endEnrollment(id, "finished");
  return id;
}

/** A workflow without a fallback: the contact's owner sends, or nobody. */
function outboundContacts(portal: SimulatedPortal, people: DemoPeople, sequenceId: string): string[] {
  const troubled = (
    [
      ["owner-without-inbox", 4],
      ["no-owner", 5],
      ["archived-owner", 4],
      ["owner-without-permission", 2],
      ["no-email", 3],
      ["unsubscribed", 4],
      ["bounced", 2],
      ["already-enrolled", 5],
    ] as const
  ).flatMap(([trouble, count]) => times(count, () => portal.addTroubledContact(trouble).id));
  // HubSpot would refuse them while they hold a place under the cap: the table should be the same each time.
  const [{ userId }] = people.reps as [SimulatedUser];
  const cappedOwnerId = portal.ownerOfUser(people.cappedOutbound.userId).ownerId;
  for (const { properties } of troubled.map((id) => portal.contact(id))) {
    if (properties["hubspot_owner_id"] === cappedOwnerId)
      properties["hubspot_owner_id"] = portal.ownerOfUser(userId).ownerId;
  }
  const suppressed = times(
    3,
    (index) => portal.addContact({ properties: { email: `buyer${index}@${SUPPRESSED_DOMAIN}` } }).id,
  );
  return [
    ...troubled,
    ...suppressed,
    ...times(4, () => coolingContact(portal, sequenceId)),
    ...contactsOf(portal, [people.cappedOutbound], 16),
    ...contactsOf(portal, people.reps, 115),
  ];
}

/** A workflow whose fallback is a rotation: it saves the contacts whose owner cannot send, and no others. */
function inboundContacts(portal: SimulatedPortal, people: DemoPeople): string[] {
  const troubled = (
    [
      ["owner-without-inbox", 4],
      ["no-owner", 4],
      ["archived-owner", 3],
      ["unsubscribed", 2],
      ["no-email", 1],
    ] as const
  ).flatMap(([trouble, count]) => times(count, () => portal.addTroubledContact(trouble).id));
  return [
    ...contactsOf(portal, people.reps, 36),
    ...contactsOf(portal, [people.cappedInbound], 12),
    ...troubled,
  ];
}

/** Fills a simulated account with reps, some of whom cannot send, and with contacts of every kind. */
export function seedAccount(simulator: Simulator): DemoAccount {
  const portal = simulator.addPortal({
    name: "Acme Example",
    timeZone: "America/New_York",
    contacts: 0,
    // Links to records lead to the simulator's own pages, and not to an account that the real HubSpot does not have.
    uiDomain: new URL(simulator.url).host,
  });
  for (const user of portal.users.values()) user.inboxAddress = user.email;
  const [admin, cappedOutbound, cappedInbound, ...others] = portal.senders as [
    SimulatedUser,
    SimulatedUser,
    SimulatedUser,
    ...SimulatedUser[],
  ];
  const people = { reps: [admin, ...others], cappedOutbound, cappedInbound };
  // Not the first sequence: contacts who are already enrolled are in that one.
  const sequenceId = [...portal.sequences.keys()][1] ?? "";
  return {
    portal,
    sequenceId,
    people,
    outbound: outboundContacts(portal, people, sequenceId),
    inbound: inboundContacts(portal, people),
  };
}
