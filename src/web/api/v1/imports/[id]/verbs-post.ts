import { IMPORT_VERBS, moveImport, type ImportVerb } from "#domain/imports/change-import.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { answerChange, importField, importParameters } from "../import-fields.js";

const SUMMARIES: Readonly<Record<ImportVerb, string>> = {
  "dry-run": "Count what would become of the rows; enrolls nobody",
  start: "Enroll the rows",
  pause: "Hand no more rows over until it is resumed",
  resume: "Go on with a paused import",
  cancel: "End an import; what has not been sent is not sent",
};

/** `POST /imports/{id}/{dry-run|start|pause|resume|cancel}`: asked for here, done by the workers. */
export function createMoveImport(): readonly AnyEndpoint[] {
  return IMPORT_VERBS.map((verb) =>
    endpoint({
      method: "post",
      path: `/imports/{id}/${verb}`,
      operationId: `${verb === "dry-run" ? "dryRun" : verb}Import`,
      tag: "Imports",
      scope: "enrollments:write",
      summary: SUMMARIES[verb],
      params: importParameters,
      answers: { 202: { description: "The import, on its way.", schema: importField } },
      problems: ["NOT_FOUND", "CONFLICT", "INVALID_REQUEST"],
      handle: async ({ actor, database, params }) => {
        const outcome = await moveImport(database.pool, actor, { id: BigInt(params.id), verb });
        return answerChange({ database, portalId: actor.portalId, status: 202 }, outcome);
      },
    }),
  );
}
