import type { UserId } from "#platform/ids/branded-ids.js";
import { HubSpotAnsweredOddly, HubSpotRejected } from "./errors.js";
import { createAnswerReader, orUndefined, type AnswerReader } from "./answer-reader.js";
import { contactRequests, type ContactRequests } from "./contact-requests.js";
import { flowRequests, type FlowRequests } from "./flow-requests.js";
import { legacyWorkflowRequests, type LegacyWorkflowRequests } from "./legacy-workflow-requests.js";
import type { HubSpotRequest, PortalTransport } from "./transport.js";
import { ownThingsRequests, type OwnThingsRequests } from "./own-things-requests.js";
import { segmentRequests, type SegmentRequests } from "./segment-requests.js";
import { readBatchAnswer, readErrorOf, type BatchAnswer } from "./wire/batch-answer.js";
import type { HubSpotPage } from "./wire/list-page.js";
import { paths } from "./wire/paths.js";
import * as records from "./wire/records.js";
import type {
  CurrentEnrollment,
  ListedSequence,
  NewEnrollment,
  Owner,
  SequenceInFull,
  User,
} from "./wire/records.js";

export type { ContactProperty, OwnFlow } from "./own-things-requests.js";
export type { Segment } from "./segment-requests.js";
export type { HubSpotPage } from "./wire/list-page.js";
export type { Flow, FlowAction, ListedFlow } from "./wire/flow-records.js";
export type {
  CurrentEnrollment,
  ListedSequence,
  NewEnrollment,
  Owner,
  SequenceInFull,
  User,
} from "./wire/records.js";

/** Records a page. */
const PAGE_SIZE = "100";

/** A completion as HubSpot's batch endpoint takes it (docs/hubspot.md §3.6): every output a string. */
export interface Completion {
  callbackId: string;
  outputFields: Record<string, string>;
  /** As sent with the call, if it came from a client other than a workflow. */
  requestContext?: Readonly<Record<string, unknown>> | undefined;
}

/** Our requests to HubSpot for one portal. Every call costs one request of the portal's budget. */
export interface PortalGateway
  extends ContactRequests, FlowRequests, OwnThingsRequests, LegacyWorkflowRequests, SegmentRequests {
  /**
   * Enrolls a contact as the user (docs/hubspot.md §5.1). No idempotency key exists: after HubSpotUnavailable, read first.
   * @throws HubSpotRejected with the reasons of docs/hubspot.md §5.6.
   */
  enroll(request: {
    contactId: string;
    sequenceId: string;
    userId: UserId;
    senderEmail: string;
    senderAlias?: string | undefined;
  }): Promise<NewEnrollment>;
  /** The contact's enrollment, or undefined if HubSpot knows none (404 or an empty answer; docs/hubspot.md §5.1). */
  readEnrollment(contactId: string): Promise<CurrentEnrollment | undefined>;
  /** Sequences as the user sees them. */
  listSequences(request: {
    userId: UserId;
    after?: string | undefined;
  }): Promise<HubSpotPage<ListedSequence>>;
  /** One sequence with its steps, as the user sees it; undefined if that one does not. */
  readSequence(request: { userId: UserId; sequenceId: string }): Promise<SequenceInFull | undefined>;
  /**
   * Completes held executions; HubSpot's batch limit is unpublished, 100 is the convention (docs/hubspot.md §3.6).
   *
   * @returns which were accepted and which refused, if HubSpot says so; usually all are accepted.
   */
  completeBatch(completions: readonly Completion[]): Promise<BatchAnswer>;
  /** @throws HubSpotRejected also if a success names an error. */
  completeOne(completion: Completion): Promise<void>;
  listOwners(request: { after?: string | undefined; archived: boolean }): Promise<HubSpotPage<Owner>>;
  readOwner(ownerId: string): Promise<Owner | undefined>;
  /** The active owner who is this user, or undefined. */
  readOwnerOfUser(userId: UserId): Promise<Owner | undefined>;
  listUsers(request: { after?: string | undefined }): Promise<HubSpotPage<User>>;
  /** One user, without seat names, or undefined if the account has no such user (404). */
  readUser(userId: UserId): Promise<User | undefined>;
  readAccount(): Promise<{ timeZone: string | null; uiDomain: string | null }>;
}

/** The gateway over a portal's transport: paths are in `wire/paths.ts`, the shapes of records in `wire/records.ts`. */
export function createPortalGateway(call: PortalTransport): PortalGateway {
  const reader = createAnswerReader(call);
  return {
    ...enrollmentRequests(call, reader),
    ...completionRequests(call),
    ...directoryRequests(reader),
    ...contactRequests(reader),
    ...flowRequests(reader),
    ...ownThingsRequests(call, reader),
    ...legacyWorkflowRequests(call, reader),
    ...segmentRequests(reader),
  };
}

function enrollmentRequests(
  call: PortalTransport,
  { read, one, page }: AnswerReader,
): Pick<PortalGateway, "enroll" | "readEnrollment" | "listSequences" | "readSequence"> {
  return {
    enroll: ({ contactId, sequenceId, userId, senderEmail, senderAlias }) => {
      const alias = senderAlias === undefined ? {} : { senderAliasAddress: senderAlias };
      const body = { sequenceId, contactId, senderEmail, ...alias };
      const query = { userId: String(userId) };
      return read({ method: "POST", path: paths.enrollments, query, body }, records.newEnrollment);
    },
    async readEnrollment(contactId) {
      const body = await orUndefined(call({ method: "GET", path: paths.contactEnrollment(contactId) }));
      // HubSpot's answer for "none" is not published: nothing, null and an empty object all mean it. Nothing else does.
      if (body === undefined || body === null || isEmptyObject(body)) return undefined;
      const parsed = records.currentEnrollment.safeParse(body);
      if (!parsed.success)
        throw new HubSpotAnsweredOddly("HubSpot's enrollment has another shape", { cause: parsed.error });
      return parsed.data;
    },
    listSequences: ({ userId, after }) => {
      const query = { userId: String(userId), limit: PAGE_SIZE, after };
      return page({ method: "GET", path: paths.sequences, query }, records.listedSequence);
    },
    readSequence: ({ userId, sequenceId }) => {
      const query = { userId: String(userId) };
      return one({ method: "GET", path: paths.sequence(sequenceId), query }, records.sequenceInFull);
    },
  };
}

function completionRequests(call: PortalTransport): Pick<PortalGateway, "completeBatch" | "completeOne"> {
  async function callWithStatus(request: HubSpotRequest): Promise<{ httpStatus: number; body: unknown }> {
    let httpStatus = 204;
    const body = await call({ ...request, onSuccess: (status) => (httpStatus = status) });
    return { httpStatus, body };
  }

  return {
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
  };
}

/** What our copy of the directory is made of. */
function directoryRequests({
  read,
  one,
  page,
}: AnswerReader): Pick<
  PortalGateway,
  "listOwners" | "readOwner" | "readOwnerOfUser" | "listUsers" | "readUser" | "readAccount"
> {
  return {
    listOwners: ({ after, archived }) => {
      const query = { limit: PAGE_SIZE, after, archived: String(archived) };
      return page({ method: "GET", path: paths.owners, query }, records.owner);
    },
    readOwner: (ownerId) => one({ method: "GET", path: paths.owner(ownerId) }, records.owner),
    readOwnerOfUser: (userId) => {
      const path = paths.owner(String(userId));
      return one({ method: "GET", path, query: { idProperty: "userId" } }, records.owner);
    },
    listUsers: ({ after }) =>
      page({ method: "GET", path: paths.users, query: { limit: PAGE_SIZE, after } }, records.user),
    readUser: (userId) =>
      orUndefined(read({ method: "GET", path: paths.user(String(userId)) }, records.user)),
    readAccount: () => read({ method: "GET", path: paths.accountDetails }, records.account),
  };
}

/** `typedOutputs` is required though it says nothing (docs/hubspot.md §3.6). */
function completionBody({ outputFields, requestContext }: Completion): Record<string, unknown> {
  return { outputFields, typedOutputs: {}, ...(requestContext === undefined ? {} : { requestContext }) };
}

function isEmptyObject(body: unknown): boolean {
  return typeof body === "object" && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;
}
