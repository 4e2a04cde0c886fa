import { z } from "zod";
import { setUpImport } from "#domain/imports/change-import.js";
import { closeChoicesSchema } from "#domain/imports/close-choices.js";
import { enrollmentDefaultsSchema } from "#domain/imports/enrollment-defaults.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { answerChange, importField, importParameters, mappingField } from "../import-fields.js";

/** `PATCH /imports/{id}`: which column is which, and what applies where a row says nothing. */
export function createPatchImport(): AnyEndpoint {
  return endpoint({
    method: "patch",
    path: "/imports/{id}",
    operationId: "setUpImport",
    tag: "Imports",
    scope: "enrollments:write",
    summary: "Say which column is which, and what applies to all rows",
    params: importParameters,
    body: z.strictObject({
      mapping: mappingField.optional(),
      defaults: enrollmentDefaultsSchema.optional(),
      close: closeChoicesSchema.optional().describe("Of an import from Close alone."),
    }),
    answers: {
      200: { description: "The import. What a dry run foresaw is forgotten.", schema: importField },
    },
    problems: ["NOT_FOUND", "CONFLICT", "INVALID_REQUEST"],
    handle: async ({ actor, database, params, body: { close: choices, ...body } }) => {
      const change = { id: BigInt(params.id), ...body, choices };
      const outcome = await setUpImport(database.pool, actor, change);
      return answerChange({ database, portalId: actor.portalId, status: 200 }, outcome);
    },
  });
}
