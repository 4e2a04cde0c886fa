import { z } from "zod";
import { listImports } from "#domain/imports/import.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { limitParameter, pageSchema } from "#web/api/kit/fields.js";
import { answerImport, importField } from "./import-fields.js";

/** `GET /imports`: the newest first. */
export function createListImports(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/imports",
    operationId: "listImports",
    tag: "Imports",
    scope: "enrollments:read",
    summary: "List the newest imports",
    query: z.strictObject({ limit: limitParameter(50, 10) }),
    answers: { 200: { description: "The imports, the newest first.", schema: pageSchema(importField) } },
    handle: async ({ actor: { portalId }, database, query }) => {
      const results: unknown[] = [];
      for (const one of await listImports(database.pool, portalId, query.limit))
        results.push((await answerImport({ database, portalId, status: 200 }, one)).body);
      return { status: 200, body: { results } };
    },
  });
}
