import { findImport } from "#domain/imports/import.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { refusal } from "#web/api/kit/problem.js";
import { sendImportResults } from "#web/kit/import-results.js";
import { importParameters } from "../import-fields.js";

/** `GET /imports/{id}/results.csv`: the file again, with what became of each row. */
export function createGetImportResults(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/imports/{id}/results.csv",
    operationId: "getImportResults",
    tag: "Imports",
    scope: "enrollments:read",
    summary: "The file again, with what became of each row",
    params: importParameters,
    answers: { 200: { description: "The file's columns, then the results.", mediaType: "text/csv" } },
    problems: ["NOT_FOUND"],
    isUnhurried: true,
    handle: async ({ actor: { portalId }, database, params }) => {
      const one = await findImport(database.pool, { portalId, id: BigInt(params.id) });
      if (one === undefined) return refusal("NOT_FOUND");
      return {
        status: 200,
        stream: (response) => sendImportResults(response, database.pool, { portalId, one }),
      };
    },
  });
}
