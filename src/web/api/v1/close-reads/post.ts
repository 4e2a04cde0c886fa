import { z } from "zod";
import { createCloseImport, type KeyCipher } from "#domain/imports/create-close-import.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { importField, readImport } from "../imports/import-fields.js";

const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * `POST /close-reads`: makes an import of an organization's sequence subscriptions in Close. Workers read them; nobody is
 * enrolled yet.
 */
export function createPostCloseRead({ cipher }: { cipher: KeyCipher }): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/close-reads",
    operationId: "readClose",
    tag: "Imports",
    scope: "enrollments:write",
    summary: "Read the sequence subscriptions of an organization in Close",
    description:
      "Makes an import whose rows are the subscriptions: its status is READING until all are there. Then choose statuses, sequences and senders by PATCH (`close`), try it by dry-run, and start it, as with every import. The key is kept sealed while it is needed, and erased then.",
    body: z.strictObject({
      apiKey: z.string().min(1).max(200).regex(PRINTABLE, "This is no key.").describe("An API key of Close."),
      name: z.string().max(200).optional().describe("What to call the import."),
    }),
    answers: { 201: { description: "The import.", schema: importField } },
    handle: async ({ actor, database, body: { apiKey, name = "" } }) => {
      const id = await createCloseImport({ pool: database.pool, cipher }, actor, { apiKey, name });
      return readImport({ database, portalId: actor.portalId, status: 201 }, id);
    },
  });
}
