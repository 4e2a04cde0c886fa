import type { SimulatedContact, SimulatedUser } from "./model.js";
import type { Seeder, ContactSeed } from "../seeding.js";

/** Reasons for which a contact cannot be enrolled, each made so that HubSpot's own answer shows it. */
export const TROUBLES = [
  "no-owner",
  "archived-owner",
  "queue-owner",
  "unknown-owner",
  "owner-without-inbox",
  "owner-without-permission",
  "owner-over-limit",
  "no-email",
  "unsubscribed",
  "bounced",
  "blocked",
  "already-enrolled",
  "deleted",
] as const;

export type Trouble = (typeof TROUBLES)[number];

/** Adds one contact with the trouble. A deleted one is returned although the portal no longer has it. */
export function makeTrouble(seeder: Seeder, trouble: Trouble): SimulatedContact {
  const contact = seeder.addContact(seedFor(seeder, trouble));
  if (trouble === "already-enrolled") seeder.portal.enrollInUi(contact.id, { agoMs: 3_600_000 });
  if (trouble === "deleted") seeder.portal.deleteContact(contact.id);
  return contact;
}

function seedFor(seeder: Seeder, trouble: Trouble): ContactSeed {
  switch (trouble) {
    case "no-owner":
      return ownedBy(null);
    case "unknown-owner":
      return ownedBy("99999999");
    case "queue-owner":
      return ownedBy(
        [...seeder.portal.owners.values()].find(({ type }) => type === "QUEUE")?.ownerId ?? null,
      );
    case "archived-owner":
      return ownedByUser(seeder, ({ active }) => !active, { active: false });
    case "owner-without-inbox":
      return ownedByUser(seeder, (user) => user.active && !user.hasConnectedInbox, {
        hasConnectedInbox: false,
      });
    case "owner-without-permission":
      return ownedByUser(seeder, (user) => user.active && !user.hasSequencesPermission, {
        hasSequencesPermission: false,
      });
    case "owner-over-limit":
      return ownedByUser(seeder, ({ dailyLimit }) => dailyLimit === 0, { dailyLimit: 0 });
    case "no-email":
      return { properties: { email: null } };
    case "unsubscribed":
      return { properties: { hs_email_optout: "true" }, suppression: "unsubscribed" };
    case "bounced":
      return { properties: { hs_email_hard_bounce_reason_enum: "UNKNOWN_USER" }, suppression: "bounced" };
    case "blocked":
      return { suppression: "blocked" };
    case "already-enrolled":
    case "deleted":
      return {};
  }
}

function ownedBy(ownerId: string | null): ContactSeed {
  return { properties: { hubspot_owner_id: ownerId } };
}

/** Owned by the first user of that kind, who is added if there is none. */
function ownedByUser(
  seeder: Seeder,
  fits: (user: SimulatedUser) => boolean,
  otherwise: Partial<SimulatedUser>,
): ContactSeed {
  const user = [...seeder.portal.users.values()].find(fits) ?? seeder.addUser(otherwise);
  return ownedBy(seeder.portal.ownerOfUser(user.userId).ownerId);
}
