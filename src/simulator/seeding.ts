import { randomFrom, type Random } from "./world/random.js";
import type { World } from "./world/world.js";
import type {
  SimulatedContact,
  SimulatedOwner,
  SimulatedSequence,
  SimulatedUser,
  Suppression,
} from "./portal/model.js";
import { companyAddress, contactName, SEQUENCE_NAMES, USER_NAMES } from "./portal/names.js";
import { SimulatedPortal, type PortalTraits } from "./portal.js";
import { makeTrouble, type Trouble } from "./portal/troubles.js";

export type UserSeed = Partial<SimulatedUser>;
export type SequenceSeed = Partial<Omit<SimulatedSequence, "createdAtMs">>;

export interface ContactSeed {
  readonly id?: string;
  readonly properties?: Readonly<Record<string, string | null>>;
  readonly suppression?: Suppression;
}

/** What a new account holds. Numbers ask for that many made-up records; lists are taken as given. */
export interface PortalSeed extends Partial<PortalTraits> {
  /** Default 8: an admin and four reps who can send, one without an inbox, one without permission, one who left. */
  readonly users?: number | readonly UserSeed[];
  /** Default 12, visible to all. */
  readonly sequences?: number | readonly SequenceSeed[];
  /** Healthy ones, owned in turn by the users who can send. Default 0. */
  readonly contacts?: number | readonly ContactSeed[];
  /** How many further contacts to make with each trouble. */
  readonly troubles?: Partial<Record<Trouble, number>>;
}

const FIRST_PORTAL = 4_455_600;
const YEAR_MS = 365 * 86_400_000;

/** Builds an account; the same world seed and the same order of calls give the same account. */
export function seedPortal(world: World, seed: PortalSeed = {}): SimulatedPortal {
  const portalId = seed.portalId ?? FIRST_PORTAL + world.portals.size + 1;
  if (world.portals.has(portalId)) throw new RangeError(`There is a portal ${portalId} already`);
  const portal = new SimulatedPortal(world, {
    portalId,
    name: seed.name ?? `Account ${portalId}`,
    timeZone: seed.timeZone ?? "America/New_York",
    uiDomain: seed.uiDomain ?? "app.hubspot.com",
    unavailableScopes: seed.unavailableScopes ?? [],
  });
  world.portals.set(portalId, portal);
  const seeder = new Seeder(world, portal);
  for (const user of listed(seed.users, USER_NAMES.length)) seeder.addUser(user);
  seeder.addQueueOwner();
  for (const sequence of listed(seed.sequences, SEQUENCE_NAMES.length)) seeder.addSequence(sequence);
  for (const contact of listed<ContactSeed>(seed.contacts, 0)) seeder.addContact(contact);
  portal.attachSeeder(seeder);
  for (const [trouble, count] of Object.entries(seed.troubles ?? {}) as [Trouble, number][]) {
    for (let made = 0; made < count; made += 1) makeTrouble(seeder, trouble);
  }
  return portal;
}

function listed<T extends object>(
  wish: number | readonly T[] | undefined,
  fallback: number,
): readonly Partial<T>[] {
  if (typeof wish === "object") return wish;
  return Array.from({ length: wish ?? fallback }, () => ({}));
}

/** Adds records to a portal, filling in what a test does not care about. */
export class Seeder {
  readonly world: World;
  readonly portal: SimulatedPortal;
  readonly #random: Random;
  #nextUser = 0;
  #nextOwner = 0;
  #nextSequence = 0;
  #nextContact = 0;

  constructor(world: World, portal: SimulatedPortal) {
    this.world = world;
    this.portal = portal;
    this.#random = randomFrom(world.settings.seed * 7919 + portal.portalId);
  }

  /** Adds a user with an owner record. The defaults follow the cast of {@link USER_NAMES}, then repeat "can send". */
  addUser(seed: UserSeed = {}): SimulatedUser {
    const index = this.#nextUser++;
    const cast = USER_NAMES[index] ?? contactName(index * 31, this.#random);
    const role = index < USER_NAMES.length ? index : 1;
    const email = seed.email ?? `${cast.firstName}.${cast.lastName}@acme.example`.toLowerCase();
    const user: SimulatedUser = {
      userId: 9_100_001 + index * 37,
      email,
      ...cast,
      superAdmin: index === 0,
      canInstallApps: index === 0,
      seatNames: role === 6 ? [] : ["SALES_PROFESSIONAL"],
      hasConnectedInbox: role !== 5,
      // The first rep's inbox differs from the login, as docs/hubspot.md §11 warns.
      inboxAddress: index === 1 ? email.replace("@acme.example", "@mail.acme.example") : email,
      aliases: [],
      hasSequencesPermission: role !== 6,
      dailyLimit: undefined,
      active: role !== 7,
      ...seed,
    };
    this.portal.users.set(user.userId, user);
    this.#addOwner({
      type: "PERSON",
      userId: user.userId,
      ...cast,
      email: user.email,
      archived: !user.active,
    });
    return user;
  }

  /** An owner that is not a person: contacts can be assigned to it, nobody can send as it. */
  addQueueOwner(): SimulatedOwner {
    return this.#addOwner({
      type: "QUEUE",
      userId: undefined,
      firstName: "Inbound",
      lastName: "Queue",
      email: "queue@acme.example",
      archived: false,
    });
  }

  #addOwner(owner: Omit<SimulatedOwner, "ownerId" | "createdAtMs">): SimulatedOwner {
    const entry = {
      ...owner,
      ownerId: String(77_120_001 + this.#nextOwner++ * 13),
      createdAtMs: this.#longAgo(),
    };
    this.portal.owners.set(entry.ownerId, entry);
    return entry;
  }

  addSequence(seed: SequenceSeed = {}): SimulatedSequence {
    const index = this.#nextSequence++;
    const round = Math.floor(index / SEQUENCE_NAMES.length);
    const name = SEQUENCE_NAMES[index % SEQUENCE_NAMES.length] ?? "Sequence";
    const sequence: SimulatedSequence = {
      id: String(300_000_001 + index),
      name: round === 0 ? name : `${name} ${round + 1}`,
      userId: this.portal.admin.userId,
      folderId: undefined,
      createdAtMs: this.#longAgo(),
      visibleTo: "all",
      deleted: false,
      ...seed,
    };
    this.portal.sequences.set(sequence.id, sequence);
    return sequence;
  }

  addContact(seed: ContactSeed = {}): SimulatedContact {
    const index = this.#nextContact++;
    const { firstName, lastName } = contactName(index, this.#random);
    const { company, domain } = companyAddress(this.#random);
    const owners = this.portal.senders;
    const owner = owners.length === 0 ? undefined : owners[index % owners.length];
    const createdAtMs = this.#longAgo();
    const contact: SimulatedContact = {
      id: seed.id ?? String(1001 + index),
      createdAtMs,
      updatedAtMs: createdAtMs,
      properties: {
        firstname: firstName,
        lastname: lastName,
        company,
        // The number keeps addresses apart however many contacts there are.
        email: `${firstName}.${lastName}${index + 1}@${domain}`.toLowerCase(),
        hubspot_owner_id: owner === undefined ? null : this.portal.ownerOfUser(owner.userId).ownerId,
        ...seed.properties,
      },
      suppression: seed.suppression,
      pending: [],
    };
    this.portal.contacts.set(contact.id, contact);
    return contact;
  }

  #longAgo(): number {
    return this.world.now() - Math.round(this.#random.between(1, YEAR_MS));
  }
}
