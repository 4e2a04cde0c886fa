import { findImport } from "#domain/imports/import.js";
import { readResults, type ResultRow } from "#domain/imports/results.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { refusal } from "#web/api/kit/problem.js";
import { sendCsv } from "#web/kit/send-csv.js";
import { importParameters } from "../import-fields.js";

const RESULT_COLUMNS = ["result", "reason_code", "reason", "enrollment_id"];

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
      const found = await findImport(database.pool, { portalId, id: BigInt(params.id) });
      if (found === undefined) return refusal("NOT_FOUND");
      // Keys of their own: a column of the file may have the name of a result.
      const headers = [...found.columns, ...RESULT_COLUMNS];
      const columns = headers.map((header, index) => ({ key: `c${index}`, header }));
      const rows = records(readResults(database.pool, portalId, found.id), found.columns.length);
      return {
        status: 200,
        stream: (response) => sendCsv(response, { name: `import-${found.id}.csv`, columns, rows }),
      };
    },
  });
}

async function* records(
  rows: AsyncIterable<ResultRow>,
  width: number,
): AsyncGenerator<Record<string, string>> {
  for await (const { cells, result, reasonCode, reason, executionId } of rows) {
    const own = Array.from({ length: width }, (_, index) => cells[index] ?? "");
    const all = [...own, result ?? "", reasonCode ?? "", reason ?? "", executionId ?? ""];
    yield Object.fromEntries(all.map((value, index) => [`c${index}`, value]));
  }
}
