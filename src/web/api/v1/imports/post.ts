import { createHash, type Hash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { createImport } from "#domain/imports/create-import.js";
import { ImportFileError } from "#domain/imports/file/file-error.js";
import { openFile } from "#domain/imports/file/read-rows.js";
import { endpoint, type AnyEndpoint, type Answer } from "#web/api/kit/endpoint.js";
import { answerWithin, identityOf, isReplayed, withinTransaction } from "#web/api/kit/idempotency.js";
import { refusal, type RefusedRequest } from "#web/api/kit/problem.js";
import { importField, readImport } from "./import-fields.js";
import { uploadedFile } from "./uploaded-file.js";

/** `POST /imports`: a file is read as it comes, and stored. Nothing is enrolled yet. */
export function createPostImport(): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/imports",
    operationId: "createImport",
    tag: "Imports",
    scope: "enrollments:write",
    summary: "Upload a file of contacts to enroll",
    description:
      "A CSV file with a header: commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252; 100,000 rows, 200 columns and 64 MiB at most, and 16 KiB a row. Which column is which is guessed.",
    query: z.strictObject({ name: z.string().max(200).default("Import") }),
    streams: { "text/csv": "The file.", "multipart/form-data": "A form with the file in its field `file`." },
    answers: { 201: { description: "The import, with the guessed mapping.", schema: importField } },
    problems: ["INVALID_REQUEST", "PAYLOAD_TOO_LARGE"],
    isUnhurried: true,
    isIdempotentByItself: true,
    handle: async ({ actor, database, query, streamed }) => {
      if (streamed === undefined) return refusal("UNSUPPORTED_MEDIA_TYPE");
      const { portalId } = actor;
      // A key that is none is refused before anything is read.
      const hasKey = identityOf(streamed, portalId, undefined) !== undefined;
      const hash = createHash("sha256");
      const answer = async (client: PoolClient, id: bigint): Promise<Answer> => {
        const identity = hasKey ? identityOf(streamed, portalId, hash.digest()) : undefined;
        const read = (pool: Pool) => readImport({ database: { pool }, portalId, status: 201 }, id);
        const made =
          identity === undefined
            ? await read(withinTransaction(client))
            : await answerWithin(client, identity, read);
        if ("kind" in made || isReplayed(made)) throw new UploadedBefore(made);
        return made;
      };
      try {
        const file = await openFile(hashed(await uploadedFile(streamed), hash));
        return await createImport(database.pool, actor, { name: query.name, file, inCommit: answer });
      } catch (error) {
        if (error instanceof UploadedBefore) return error.answer;
        if (error instanceof ImportFileError) return refusalOf(error);
        throw error;
      }
    },
  });
}

/** Undoes this upload: the file is there already, and its first answer is given again. */
class UploadedBefore extends Error {
  readonly answer: Answer | RefusedRequest;

  constructor(answer: Answer | RefusedRequest) {
    super("the file was uploaded before");
    this.answer = answer;
  }
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
}

function refusalOf({ problem, sentence, status }: ImportFileError): RefusedRequest {
  return refusal(problem === "TOO_LARGE" ? "PAYLOAD_TOO_LARGE" : "INVALID_REQUEST", {
    status,
    detail: sentence,
  });
}
