import { z } from "zod";
import { orUndefined, type AnswerReader } from "./answer-reader.js";
import type { HubSpotPage } from "./wire/list-page.js";
import { paths } from "./wire/paths.js";

/** HubSpot's object type of contacts. */
const CONTACTS = "0-1";
const SEGMENTS_A_PAGE = 50;
/** HubSpot's maximum. */
const MEMBERS_A_PAGE = "250";

const listId = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,20}$/));
const size = z.coerce.number().int().nonnegative();

/** A segment, which HubSpot's API calls a list. */
export interface Segment {
  readonly id: string;
  readonly name: string;
  /** Undefined if HubSpot does not say. */
  readonly size: number | undefined;
  readonly isOfContacts: boolean;
}

const list = z.object({
  listId,
  name: z.string().max(2_000),
  objectTypeId: z.string(),
  size: size.optional().catch(undefined),
  additionalProperties: z.object({ hs_list_size: size.optional().catch(undefined) }).optional(),
});

const toSegment = (found: z.output<typeof list>): Segment => ({
  id: found.listId,
  name: found.name,
  size: found.size ?? found.additionalProperties?.hs_list_size,
  isOfContacts: found.objectTypeId === CONTACTS,
});

const member = z
  .object({ recordId: z.union([z.string(), z.number()]).transform(String) })
  .transform(({ recordId }) => ({ id: recordId }));

/** Requests about the account's segments. They need the scope `crm.lists.read`, which HubSpotRejected (403) says is missing. */
export interface SegmentRequests {
  /** Segments of contacts whose name contains this text; empty: any. The first fifty. */
  searchSegments(name: string): Promise<Segment[]>;
  /** Undefined if there is none. */
  readSegment(id: string): Promise<Segment | undefined>;
  /** Record ids of the segment's members. */
  listMembers(id: string, request: { after?: string | undefined }): Promise<HubSpotPage<{ id: string }>>;
}

export function segmentRequests({ read, page }: AnswerReader): SegmentRequests {
  return {
    async searchSegments(name) {
      const query = name === "" ? {} : { query: name };
      const asked = { listIds: [], processingTypes: [], additionalProperties: ["hs_list_size"], offset: 0 };
      const body = { ...query, ...asked, objectTypeId: CONTACTS, count: SEGMENTS_A_PAGE };
      const { lists } = await read(
        { method: "POST", path: paths.listSearch, body },
        z.object({ lists: z.array(list) }),
      );
      return lists.map(toSegment).filter(({ isOfContacts }) => isOfContacts);
    },
    async readSegment(id) {
      const found = await orUndefined(read({ method: "GET", path: paths.list(id) }, z.object({ list })));
      return found && toSegment(found.list);
    },
    listMembers: (id, { after }) =>
      page({ method: "GET", path: paths.listMembers(id), query: { limit: MEMBERS_A_PAGE, after } }, member),
  };
}
