import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { importField, importParameters, readImport } from "../import-fields.js";

/** `GET /imports/{id}`: how far it has come. */
export function createGetImport(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/imports/{id}",
    operationId: "getImport",
    tag: "Imports",
    scope: "enrollments:read",
    summary: "Read an import and how far it has come",
    params: importParameters,
    answers: { 200: { description: "The import.", schema: importField } },
    problems: ["NOT_FOUND"],
    handle: ({ actor: { portalId }, database, params }) =>
      readImport({ database, portalId, status: 200 }, BigInt(params.id)),
  });
}
