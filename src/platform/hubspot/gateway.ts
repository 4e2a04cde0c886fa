import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { readHubSpotDate } from "./hubspot-date.js";
import { cutText } from "#platform/text/storable-text.js";
import { readBatchAnswer, readErrorOf, type BatchAnswer } from "./batch-answer.js";
import { HubSpotAnsweredOddly, HubSpotAnsweredWithPage, HubSpotRejected } from "./errors.js";
import { paths } from "./paths.js";
import type { HubSpotRequest, PortalTransport } from "./transport.js";

/** Ids are stored in keys and indexes, which take no text of any length; HubSpot's have 20 digits at most. */
const id = z.union([z.string().max(100), z.number()]).transform(String);
const userId = z
  .union([z.string().regex(/^0{0,17}[1-9]\d{0,17}$/), z.number().int().positive()])
  .transform(BigInt);
/** The value in place of a missing user. */
const noUser = z.literal([0, "0", "", null]).transform(() => null);
const maybeUserId = userId
  .or(noUser)
  .optional()
  .transform((given) => given ?? null);
/** In characters: names and addresses are shown in lists of many, and HubSpot's are shorter. */
const LONGEST_TEXT = 1_000;
const name = z.string().transform((value) => cutText(value, LONGEST_TEXT));
const text = name.nullish().transform((value) => value ?? null);
/** Only for display: a value of another type counts as missing. */
const words = text.catch(null);
/** Undefined if it is impossible. It is not compared with this machine's clock, which may itself be wrong. */
const instant = z
  .unknown()
  .optional()
  .transform((value) => readHubSpotDate(value));
const cursor = z.union([z.string().max(2_000), z.number()]).transform(String);
/** A page of any list: its records are parsed one by one, and the next page's cursor separately. */
const anyPage = z.object({ results: z.array(z.unknown()), paging: z.unknown().optional() });

/** As workflow steps name it: with another form it could be chosen, but no call with it would be accepted. */
const sequenceId = id.pipe(z.string().regex(/^\d{1,20}$/));
const listedSequence = z.object({ id: sequenceId, name, folderId: id.nullish() });
const newEnrollment = z.object({ id, enrolledAt: instant });
const currentEnrollment = z.object({
  id,
  sequenceId: id,
  sequenceName: words,
  enrolledAt: instant,
  enrolledBy: id.nullish().catch(undefined),
  enrolledByEmail: words,
});
const ownerRecord = z.object({
  id,
  userId: maybeUserId,
  userIdIncludingInactive: maybeUserId.catch(null),
  email: text,
  firstName: text,
  lastName: text,
  type: z
    .string()
    .nullish()
    .transform((type) => type ?? "PERSON"),
  archived: z
    .boolean()
    .nullish()
    .transform((archived) => archived ?? false),
});
/** Archived owners have lost their `userId`: `userIdIncludingInactive` says whose they were. */
const owner = ownerRecord.transform(({ userIdIncludingInactive, ...owner }) => ({
  ...owner,
  userId: owner.userId ?? userIdIncludingInactive,
}));
const user = z.object({
  id: userId,
  email: text,
  firstName: text,
  lastName: text,
  // The rights of an account's admins depend on it: a record without it is left out, and what we knew stays.
  superAdmin: z.boolean(),
  seatNames: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
});
/** HubSpot's values are text; a number or a boolean means the same. */
const propertyValue = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)])
  .nullable();
const contact = z.object({ properties: z.record(z.string(), propertyValue) });
const batchContact = contact.extend({ id });
const contactBatch = z.object({ results: z.array(z.unknown()) });
const identified = z.object({ id });
const account = z.object({ timeZone: text, uiDomain: text });

export type ListedSequence = z.output<typeof listedSequence>;
export type NewEnrollment = z.output<typeof newEnrollment>;
export type CurrentEnrollment = z.output<typeof currentEnrollment>;
export type Owner = z.output<typeof owner>;
export type User = z.output<typeof user>;

/** One page of a list; `after` is the cursor of the next, undefined on the last. */
export interface Page<T> {
  results: T[];
  after: string | undefined;
  /** HubSpot names a next page in a form we do not know: the list is incomplete. */
  isCut?: boolean;
  /** Ids of the records that could not be read, and are not in `results`; undefined for one without a usable id. */
  leftOut: (string | undefined)[];
}

/** A completion as HubSpot's batch endpoint takes it (docs/hubspot.md §3.6): every output a string. */
export interface Completion {
  callbackId: string;
  outputFields: Record<string, string>;
  /** As sent with the call, if it came from a client other than a workflow. */
  requestContext?: Readonly<Record<string, unknown>> | undefined;
}

/** Our requests to HubSpot for one portal. Every call costs one request of the portal's budget. */
export interface PortalGateway {
  /**
   * Enrolls a contact as the user (docs/hubspot.md §5.1). No idempotency key exists: after HubSpotUnavailable, read first.
   * @throws HubSpotRejected with the reasons of docs/hubspot.md §5.6.
   */
  enroll(request: {
    contactId: string;
    sequenceId: string;
    userId: bigint;
    senderEmail: string;
    senderAlias?: string | undefined;
  }): Promise<NewEnrollment>;
  /** The contact's enrollment, or undefined if HubSpot knows none (404 or an empty answer; docs/hubspot.md §5.1). */
  readEnrollment(contactId: string): Promise<CurrentEnrollment | undefined>;
  /** Sequences as the user sees them. */
  listSequences(request: { userId: bigint; after?: string | undefined }): Promise<Page<ListedSequence>>;
  /**
   * Completes held executions; HubSpot's batch limit is unpublished, 100 is the convention (docs/hubspot.md §3.6).
   *
   * @returns which were accepted and which refused, if HubSpot says so; usually all are accepted.
   */
  completeBatch(completions: readonly Completion[]): Promise<BatchAnswer>;
  /** @throws HubSpotRejected also if a success names an error. */
  completeOne(completion: Completion): Promise<void>;
  listOwners(request: { after?: string | undefined; archived: boolean }): Promise<Page<Owner>>;
  readOwner(ownerId: string): Promise<Owner | undefined>;
  /** The active owner who is this user, or undefined. */
  readOwnerOfUser(userId: bigint): Promise<Owner | undefined>;
  listUsers(request: { after?: string | undefined }): Promise<Page<User>>;
  /** One user, without seat names, or undefined if the account has no such user (404). */
  readUser(userId: bigint): Promise<User | undefined>;
  /** Values of the named contact properties, or undefined if the contact is gone. */
  readContact(
    contactId: string,
    properties: readonly string[],
  ): Promise<Record<string, string | null> | undefined>;
  /**
   * A contact by its record id or its email address, with the values of the named properties; undefined if there is
   * none. A merged contact comes under its new id.
   */
  findContact(
    idOrEmail: string,
    properties: readonly string[],
  ): Promise<{ id: string; properties: Record<string, string | null> } | undefined>;
  /**
   * The same for up to 100 contacts in one request, by the id HubSpot returns: a contact that was merged comes under
   * its new id. A contact missing from the answer is gone or cannot be read; only a request for it alone shows which.
   */
  readContacts(
    contactIds: readonly string[],
    properties: readonly string[],
  ): Promise<Map<string, Record<string, string | null>>>;
  readAccount(): Promise<{ timeZone: string | null; uiDomain: string | null }>;
}

/** 404 as a value: for reads, "not there" is an answer. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus === 404) return undefined;
    throw error;
  }
}

/** Pauses before a record is read again after a 404 with an HTML page. */
const PAUSES_AFTER_PAGE_MS = [200, 800];

/**
 * Reads a record by its id, or finds that there is none. A 404 with an HTML page may come from a proxy in front of
 * HubSpot: it is repeated, and believed if HubSpot answers another request meanwhile.
 */
async function readById<T>(
  read: () => Promise<T>,
  isAnswering: () => Promise<unknown>,
): Promise<T | undefined> {
  for (const pauseMs of [...PAUSES_AFTER_PAGE_MS, undefined]) {
    try {
      return await orUndefined(read());
    } catch (error) {
      if (!(error instanceof HubSpotAnsweredWithPage) || error.httpStatus !== 404) throw error;
      if (pauseMs !== undefined) await sleep(pauseMs);
    }
  }
  await isAnswering();
  return undefined;
}

/** Records of an unknown shape are left out one by one. */
function readEach<S extends z.ZodType>(
  entries: readonly unknown[],
  record: S,
): { read: z.output<S>[]; odd: unknown[] } {
  const read: z.output<S>[] = [];
  const odd: unknown[] = [];
  for (const entry of entries) {
    const parsed = record.safeParse(entry);
    if (parsed.success) read.push(parsed.data);
    else odd.push(entry);
  }
  return { read, odd };
}

/** An empty answer means none. */
function isNothing(value: unknown): boolean {
  return value == null || value === "" || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The cursor of the next page. If the answer mentions a next page without a usable cursor, the list is incomplete. */
function nextOf(paging: unknown): Pick<Page<unknown>, "after" | "isCut"> {
  const next = isObject(paging) ? paging["next"] : paging;
  const after = isObject(next) ? next["after"] : next;
  const isTold = !isNothing(after) || (isObject(next) && !Object.values(next).every(isNothing));
  if (!isTold) return { after: undefined };
  const read = isObject(next) && !isNothing(after) ? cursor.safeParse(after).data : undefined;
  return read === undefined ? { after: undefined, isCut: true } : { after: read };
}

function isEmptyObject(body: unknown): boolean {
  return isObject(body) && Object.keys(body).length === 0;
}

function otherShape({ method, path }: HubSpotRequest, cause: unknown): HubSpotAnsweredOddly {
  return new HubSpotAnsweredOddly(`HubSpot's answer to ${method} ${path} has another shape`, { cause });
}

/** `typedOutputs` is required though it says nothing (docs/hubspot.md §3.6). */
function completionBody({ outputFields, requestContext }: Completion): Record<string, unknown> {
  return { outputFields, typedOutputs: {}, ...(requestContext === undefined ? {} : { requestContext }) };
}

/** The gateway over a portal's transport: paths and wire shapes stay in this file. */
export function createPortalGateway(call: PortalTransport): PortalGateway {
  async function read<S extends z.ZodType>(request: HubSpotRequest, schema: S): Promise<z.output<S>> {
    const parsed = schema.safeParse(await call(request));
    if (!parsed.success) throw otherShape(request, parsed.error);
    return parsed.data;
  }

  async function callWithStatus(request: HubSpotRequest): Promise<{ httpStatus: number; body: unknown }> {
    let httpStatus = 204;
    const body = await call({ ...request, onSuccess: (status) => (httpStatus = status) });
    return { httpStatus, body };
  }

  async function readPage<S extends z.ZodType<{ id: string | bigint }>>(
    request: HubSpotRequest,
    record: S,
  ): Promise<Page<z.output<S>>> {
    const page = await read(request, anyPage);
    const { read: results, odd } = readEach(page.results, record);
    const leftOut = odd.map((entry) => identified.safeParse(entry).data?.id);
    return { results, ...nextOf(page.paging), leftOut };
  }

  const readAccount = () => read({ method: "GET", path: paths.accountDetails }, account);

  /** A record by its id; undefined if there is none. */
  function one<S extends z.ZodType>(request: HubSpotRequest, schema: S): Promise<z.output<S> | undefined> {
    return readById(() => read(request, schema), readAccount);
  }

  const batchSize = "100";
  return {
    enroll: ({ contactId, sequenceId, userId: sender, senderEmail, senderAlias }) =>
      read(
        {
          method: "POST",
          path: paths.enrollments,
          query: { userId: String(sender) },
          body: {
            sequenceId,
            contactId,
            senderEmail,
            ...(senderAlias === undefined ? {} : { senderAliasAddress: senderAlias }),
          },
        },
        newEnrollment,
      ),
    async readEnrollment(contactId) {
      const body = await orUndefined(call({ method: "GET", path: paths.contactEnrollment(contactId) }));
      // HubSpot's answer for "none" is not published: nothing, null and an empty object all mean it. Nothing else does.
      if (body === undefined || body === null || isEmptyObject(body)) return undefined;
      const parsed = currentEnrollment.safeParse(body);
      if (!parsed.success)
        throw new HubSpotAnsweredOddly("HubSpot's enrollment has another shape", { cause: parsed.error });
      return parsed.data;
    },
    listSequences: ({ userId: reader, after }) =>
      readPage(
        { method: "GET", path: paths.sequences, query: { userId: String(reader), limit: batchSize, after } },
        listedSequence,
      ),
    async completeBatch(completions) {
      const inputs = completions.map((completion) => ({
        callbackId: completion.callbackId,
        ...completionBody(completion),
      }));
      const answer = await callWithStatus({ method: "POST", path: paths.completeBatch, body: { inputs } });
      return readBatchAnswer(
        answer,
        completions.map(({ callbackId }) => callbackId),
      );
    },
    async completeOne(completion) {
      const path = paths.completeOne(completion.callbackId);
      const answer = await callWithStatus({ method: "POST", path, body: completionBody(completion) });
      const message = readErrorOf(answer.body);
      if (message !== undefined) throw new HubSpotRejected({ httpStatus: 400, message });
    },
    listOwners: ({ after, archived }) =>
      readPage(
        { method: "GET", path: paths.owners, query: { limit: batchSize, after, archived: String(archived) } },
        owner,
      ),
    readOwner: (ownerId) => one({ method: "GET", path: paths.owner(ownerId) }, owner),
    readOwnerOfUser: (id) =>
      one({ method: "GET", path: paths.owner(String(id)), query: { idProperty: "userId" } }, owner),
    listUsers: ({ after }) =>
      readPage({ method: "GET", path: paths.users, query: { limit: batchSize, after } }, user),
    readUser: (id) => orUndefined(read({ method: "GET", path: paths.user(String(id)) }, user)),
    async readContact(contactId, properties) {
      const request = {
        method: "GET",
        path: paths.contact(contactId),
        query: { properties: properties.join(",") },
      } as const;
      return (await one(request, contact))?.properties;
    },
    findContact(idOrEmail, properties) {
      const query = {
        properties: properties.join(","),
        idProperty: idOrEmail.includes("@") ? "email" : undefined,
      };
      return one({ method: "GET", path: paths.contact(idOrEmail), query }, contact.extend({ id }));
    },
    async readContacts(contactIds, properties) {
      const { results } = await read(
        {
          method: "POST",
          path: paths.contactBatch,
          body: {
            inputs: contactIds.map((contactId) => ({ id: contactId })),
            properties,
            propertiesWithHistory: [],
          },
        },
        contactBatch,
      );
      return new Map(
        readEach(results, batchContact).read.map(({ id: found, properties: values }) => [found, values]),
      );
    },
    readAccount,
  };
}
