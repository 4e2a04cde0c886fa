import { LRUCache } from "lru-cache";
import { readNextContacts, type Ownership } from "#domain/executions/claim.js";
import { REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT, type ClaimedExecution } from "#domain/contract/execution.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { changeOf, findFates, type ContactFate } from "#domain/contacts/contact-fates.js";
import { readNextEmails, storeContactIds, type ContactOfAddress } from "#domain/executions/known-contacts.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { ownValue } from "#platform/text/own-value.js";
import { gather } from "#platform/time/gather.js";
import { atMost } from "#platform/memory/at-most.js";

/** How long a call's contact properties are used: weeks later they show who the owner used to be. */
export const PROPERTIES_FRESH_MS = 10 * 60_000;
/**
 * An execution with an age further below zero than this was accepted before the database's clock was set back: its age
 * is not known.
 */
const LEAST_AGE_MS = -1_000;
/** Contacts that HubSpot reads in one request (docs/hubspot.md §6). */
const BATCH = 100;
/** Attempts of one claim begin within milliseconds of each other. */
const GATHER_MS = 5;
/** Prefetched data is used once, and within this time; at HubSpot's pace a hundred contacts take ten seconds. */
const AHEAD = { ttl: 30_000, ...atMost(20_000) };

type Properties = Readonly<Record<string, string | null>>;

/** A contact's current data. */
export interface KnownContact {
  /** Differs from the requested id if the contact was merged into that one. */
  readonly contactId: string;
  readonly properties: Properties;
}

interface ReadAhead {
  readonly names: ReadonlySet<string>;
  readonly properties: Properties;
}

/**
 * What one process has prefetched, for all its portals; outlives a turn, or each turn would read a whole batch for its
 * last few.
 */
export type ReadAheadContacts = LRUCache<string, ReadAhead>;

export function createReadAhead(): ReadAheadContacts {
  return new LRUCache(AHEAD);
}

interface Question {
  readonly contactId: string;
  readonly names: readonly string[];
  readonly gateway: PortalGateway;
}

/** A contact of which only the address is known. */
interface EmailQuestion {
  readonly executionId: ExecutionId;
  readonly email: string;
  readonly gateway: PortalGateway;
}

export interface ContactPropertiesOptions {
  readonly owner: Ownership;
  readonly ahead: ReadAheadContacts;
  /** By default PROPERTIES_FRESH_MS. */
  readonly freshMs?: number | undefined;
}

/** Properties that HubSpot leaves out have no value. */
function named(names: readonly string[], properties: Properties): Properties {
  return Object.fromEntries(names.map((name) => [name, ownValue(properties, name) ?? null]));
}

/**
 * The data by which a portal's contacts are judged, for one turn: the call's properties while they are fresh and
 * complete, otherwise HubSpot's current data. A hundred contacts are read in one request: those of attempts that begin
 * together and, if they are fewer, those that are due next.
 */
export class ContactProperties {
  readonly #options: ContactPropertiesOptions;
  readonly #freshMs: number;
  readonly #readTogether: (question: Question) => Promise<Properties | undefined>;
  readonly #findTogether: (question: EmailQuestion) => Promise<string | undefined>;

  constructor(options: ContactPropertiesOptions) {
    this.#options = options;
    this.#freshMs = options.freshMs ?? PROPERTIES_FRESH_MS;
    this.#readTogether = gather({
      ms: GATHER_MS,
      most: BATCH,
      isConcurrent: true,
      run: (questions) => this.#readBatch(questions),
    });
    this.#findTogether = gather({
      ms: GATHER_MS,
      most: BATCH,
      isConcurrent: true,
      run: (questions) => this.#findBatch(questions),
    });
  }

  /**
   * @param needed required properties, besides those every call asks for.
   * @returns undefined if there is no such contact.
   * @throws HubSpot's and the database's faults.
   */
  async of(
    execution: Pick<ClaimedExecution, "contactId" | "request" | "ageMs" | "hasWaited">,
    { needed, gateway }: { needed: readonly string[]; gateway: PortalGateway },
  ): Promise<KnownContact | undefined> {
    const { contactId, request } = execution;
    const carried = request.properties ?? {};
    const isComplete =
      Object.keys(carried).length > 0 && needed.every((name) => Object.hasOwn(carried, name));
    if (isComplete && this.#isFresh(execution)) return { contactId, properties: carried };
    const names = [...new Set([...REQUESTED_PROPERTIES, ...needed])];
    const question = { contactId, names, gateway };
    const properties = this.#takeReadAhead(question) ?? (await this.#readTogether(question));
    return properties === undefined ? readSingly(question) : { contactId, properties };
  }

  /**
   * The id of a contact that was accepted by its address, which is stored with the execution from now on. A hundred
   * are found in one request, which brings what they are judged by as well.
   *
   * @returns undefined if nobody has the address.
   * @throws HubSpot's and the database's faults.
   */
  async idOf(question: EmailQuestion): Promise<string | undefined> {
    const found = await this.#findTogether(question);
    if (found !== undefined) return found;
    // A batch finds contacts only by their primary addresses.
    const contact = await question.gateway.findContact(question.email, ["email"]);
    if (contact === undefined) return undefined;
    const fates = await this.#store([{ executionId: question.executionId, contactId: contact.id }]);
    return idNow(contact.id, fates);
  }

  /**
   * Stores whom executions are about. HubSpot may still show someone whom it reported as deleted or merged: what is
   * done to all of their executions is done to these, too.
   *
   * @returns what happened to those contacts.
   */
  async #store(found: readonly ContactOfAddress[]): Promise<readonly ContactFate[]> {
    const { owner } = this.#options;
    await storeContactIds(owner, found);
    const contactIds = [...new Set(found.map(({ contactId }) => contactId))];
    const fates = await findFates(owner.pool, owner.portalId, contactIds);
    await applyContactChanges(owner.pool, fates.map(changeOf));
    return fates;
  }

  async #findBatch(questions: readonly EmailQuestion[]): Promise<(string | undefined)[]> {
    const [first] = questions;
    if (first === undefined) return [];
    const next = await readNextEmails(this.#options.owner, BATCH);
    const asked = [...questions, ...next];
    const emails = [...new Set(asked.map(({ email }) => email.toLowerCase()))].slice(0, BATCH);
    const found = await first.gateway.readContactsByEmail(emails, REQUESTED_PROPERTIES);
    const known = asked.flatMap(({ executionId, email }) => {
      const contactId = found.get(email.toLowerCase())?.id;
      return contactId === undefined ? [] : [{ executionId, contactId }];
    });
    const fates = await this.#store(known);
    const names = new Set<string>(REQUESTED_PROPERTIES);
    for (const { id, properties } of found.values())
      this.#options.ahead.set(this.#key(id), { names, properties: named(REQUESTED_PROPERTIES, properties) });
    return questions.map(({ email }) => idNow(found.get(email.toLowerCase())?.id, fates));
  }

  #isFresh({ ageMs, hasWaited }: Pick<ClaimedExecution, "ageMs" | "hasWaited">): boolean {
    return !hasWaited && ageMs > LEAST_AGE_MS && ageMs <= this.#freshMs;
  }

  #key(contactId: string): string {
    return `${this.#options.owner.portalId}:${contactId}`;
  }

  /** Only once: an execution that was postponed and comes again is judged by current data. */
  #takeReadAhead({ contactId, names }: Question): Properties | undefined {
    const key = this.#key(contactId);
    const found = this.#options.ahead.get(key);
    this.#options.ahead.delete(key);
    return found !== undefined && names.every((name) => found.names.has(name)) ? found.properties : undefined;
  }

  /** Uses the first caller's slot: the others hold theirs, and all would wait for one more. */
  async #readBatch(questions: readonly Question[]): Promise<(Properties | undefined)[]> {
    const [first] = questions;
    if (first === undefined) return [];
    const names = [...new Set(questions.flatMap((question) => question.names))];
    const asked = new Set(questions.map(({ contactId }) => contactId));
    const next = await this.#nextToRead(asked);
    const found = await readMany([...asked, ...next], { names, gateway: first.gateway });
    for (const contactId of next) {
      const properties = found.get(contactId);
      if (properties !== undefined)
        this.#options.ahead.set(this.#key(contactId), {
          names: new Set(names),
          properties: named(names, properties),
        });
    }
    return questions.map((question) => {
      const properties = found.get(question.contactId);
      return properties && named(question.names, properties);
    });
  }

  /** Contacts that are due next and will have to be read, for the rest of the batch. */
  async #nextToRead(asked: ReadonlySet<string>): Promise<string[]> {
    const places = BATCH - asked.size;
    if (places <= 0) return [];
    const next = await readNextContacts(this.#options.owner, places);
    const stale = next.filter((contact) => !this.#isFresh(contact)).map(({ contactId }) => contactId);
    return [...new Set(stale)].filter((contactId) => !asked.has(contactId) && contactId !== UNKNOWN_CONTACT);
  }
}

/** A contact's current id; that of an erased contact names nobody. */
function idNow(contactId: string | undefined, fates: readonly ContactFate[]): string | undefined {
  const fate = fates.find((one) => one.contactId === contactId);
  return fate === undefined ? contactId : (fate.becameId ?? ERASED_CONTACT);
}

/**
 * If HubSpot refuses the batch, its answer has no contacts: each caller's contact is then read individually, and that
 * answer counts.
 */
async function readMany(
  contactIds: readonly string[],
  { names, gateway }: Omit<Question, "contactId">,
): Promise<ReadonlyMap<string, Properties>> {
  try {
    return await gateway.readContacts(contactIds, names);
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 401) return new Map();
    throw error;
  }
}

/** HubSpot finds a merged contact by its old id and answers with the new one; a batch has it under neither id. */
async function readSingly({ contactId, names, gateway }: Question): Promise<KnownContact | undefined> {
  const found = await gateway.readContact(contactId, [...names, "hs_object_id"]);
  return found && { contactId: found["hs_object_id"] ?? contactId, properties: named(names, found) };
}
