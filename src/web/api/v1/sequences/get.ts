import { z } from "zod";
import { listKnownSequences } from "#domain/directory/sequences.js";
import { readCursor, wrongCursor, writeCursor } from "#web/api/kit/cursor.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { afterParameter, limitParameter, pageSchema } from "#web/api/kit/fields.js";
import { sequenceFields, shownSequence } from "./sequence-fields.js";

const place = z.object({ name: z.string(), id: z.string().regex(/^\d{1,20}$/) });

/** `GET /sequences`: the account's sequences, from our copy. */
export function createListSequences(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/sequences",
    operationId: "listSequences",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "List the account's sequences",
    description: "By name, as HubSpot listed them at the last reading.",
    query: z.strictObject({
      name: z
        .string()
        .min(1)
        .max(500)
        .optional()
        .describe("Only those whose name contains this, in any case of letters."),
      limit: limitParameter(200, 100),
      after: afterParameter,
    }),
    answers: { 200: { description: "A page of sequences.", schema: pageSchema(sequenceFields) } },
    handle: async ({ actor, database, query: { name, limit, after: cursor } }) => {
      const after = cursor === undefined ? undefined : readCursor(place, cursor);
      if (cursor !== undefined && after === undefined) return wrongCursor();
      const question = { name, limit, after };
      const { sequences, next } = await listKnownSequences(database.pool, actor.portalId, question);
      const paging = next && { next: { after: writeCursor(next) } };
      return { status: 200, body: { results: sequences.map(shownSequence), paging } };
    },
  });
}
