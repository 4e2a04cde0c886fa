import { deleteImport } from "#domain/imports/change-import.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { refusal } from "#web/api/kit/problem.js";
import { importParameters } from "../import-fields.js";

/** `DELETE /imports/{id}`: erases the file and its results, not the enrollments. */
export function createDeleteImport(): AnyEndpoint {
  return endpoint({
    method: "delete",
    path: "/imports/{id}",
    operationId: "deleteImport",
    tag: "Imports",
    scope: "enrollments:write",
    summary: "Erase an import's file and results",
    description: "Also while it runs: what was handed over is still enrolled, the rest is not.",
    params: importParameters,
    answers: { 204: { description: "It is gone." } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const outcome = await deleteImport(database.pool, actor, BigInt(params.id));
      return outcome === "deleted" ? { status: 204 } : refusal("NOT_FOUND");
    },
  });
}
