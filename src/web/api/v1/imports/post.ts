import { createHash, type Hash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import type { ApiKey } from "#domain/contract/actor.js";
import { createImport } from "#domain/imports/create-import.js";
import { ImportFileError } from "#domain/imports/file/file-error.js";
import { openFile } from "#domain/imports/file/read-rows.js";
import { createSegmentImport } from "#domain/imports/read-source.js";
import { SOURCE_PROBLEMS } from "#domain/imports/source-problems.js";
import { endpoint, type AnyEndpoint, type Answer } from "#web/api/kit/endpoint.js";
import { isReplayed, openRequest, withinTransaction, type OpenRequest } from "#web/api/kit/idempotency.js";
import { identityOf } from "#web/api/kit/request-identity.js";
import { refusal, type RefusedRequest } from "#web/api/kit/problem.js";
import { mediaTypeOf } from "#web/api/kit/read-json.js";
import { fileOfBody, fileOfForm } from "#web/kit/body/uploaded-file.js";
import { importField, readImport } from "./import-fields.js";

const segmentBody = z
  .strictObject({
    segmentId: z.string().regex(/^\d{1,20}$/, "This is no id."),
    name: z.string().max(200).optional(),
  })
  .describe(
    "A segment of the account. Its members are read gradually: the status is READING until all are there.",
  );

/**
 * `POST /imports`: a file is read as it comes, and stored; the members of a segment are read by the workers. Nothing is
 * enrolled yet.
 */
export function createPostImport(): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/imports",
    operationId: "createImport",
    tag: "Imports",
    scope: "enrollments:write",
    summary: "Upload a file of contacts to enroll, or name a segment",
    description:
      "Send a file, or JSON that names a segment of HubSpot. A file is CSV with a header: commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252; 100,000 rows, 200 columns and 64 MiB at most, and 16 KiB a row. Which column is which is guessed.",
    query: z.strictObject({ name: z.string().max(200).optional() }),
    body: segmentBody,
    streams: { "text/csv": "The file.", "multipart/form-data": "A form with the file in its field `file`." },
    answers: { 201: { description: "The import, with the guessed mapping.", schema: importField } },
    problems: ["INVALID_REQUEST", "PAYLOAD_TOO_LARGE", "MISSING_SCOPES"],
    isUnhurried: true,
    isIdempotentByItself: "streams",
    handle: async ({ actor, database, query, body: segment, streamed }) => {
      if (streamed === undefined)
        return importSegment({ actor, pool: database.pool }, { name: query.name, ...segment });
      const { portalId } = actor;
      const request = identityOf(streamed, portalId, undefined);
      const open = request && (await openRequest(database.pool, request));
      const body = createHash("sha256");
      const answer = async (client: PoolClient, id: bigint): Promise<Answer> => {
        const read = (pool: Pool) => readImport({ database: { pool }, portalId, status: 201 }, id);
        const identity = identityOf(streamed, portalId, body.digest());
        const made =
          open === undefined || identity === undefined
            ? await read(withinTransaction(client))
            : await open.answerWithin(client, identity.requestHash, read);
        if ("kind" in made || isReplayed(made)) throw new UploadedBefore(made);
        return made;
      };
      try {
        const isForm = mediaTypeOf(streamed) === "multipart/form-data";
        const { bytes } = isForm ? await fileOfForm(streamed) : fileOfBody(streamed);
        const file = await openFile(noted(bytes, { body, open }));
        return await createImport(database.pool, actor, { name: query.name ?? "", file, inCommit: answer });
      } catch (error) {
        await open?.leave();
        if (error instanceof UploadedBefore) return error.answer;
        if (error instanceof ImportFileError) return refusalOf(error);
        throw error;
      }
    },
  });
}

async function importSegment(
  { actor, pool }: { actor: ApiKey; pool: Pool },
  { segmentId, name = "" }: { segmentId: string; name?: string | undefined },
): Promise<Answer | RefusedRequest> {
  const made = await createSegmentImport(pool, actor, { segmentId, name });
  if (made.kind === "created")
    return readImport({ database: { pool }, portalId: actor.portalId, status: 201 }, made.id);
  return refusal("MISSING_SCOPES", { status: 409, detail: SOURCE_PROBLEMS.MISSING_SCOPES });
}

/** Undoes this upload: the file is there already, and its first answer is given again. */
class UploadedBefore extends Error {
  readonly answer: Answer | RefusedRequest;

  constructor(answer: Answer | RefusedRequest) {
    super("the file was uploaded before");
    this.answer = answer;
  }
}

/** The same bytes: hashed, and with each the word that the request is still under way. */
async function* noted(
  bytes: AsyncIterable<Uint8Array>,
  { body, open }: { body: Hash; open: OpenRequest | undefined },
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    body.update(piece);
    await open?.stay();
    yield piece;
  }
}

function refusalOf({ problem, sentence, status }: ImportFileError): RefusedRequest {
  return refusal(problem === "TOO_LARGE" ? "PAYLOAD_TOO_LARGE" : "INVALID_REQUEST", {
    status,
    detail: sentence,
  });
}
