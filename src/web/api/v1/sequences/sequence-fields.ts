import { z } from "zod";
import type { KnownSequence } from "#domain/directory/sequences.js";
import { timeField } from "#web/api/kit/fields.js";

/** A sequence as every endpoint answers it. */
export const sequenceFields = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.object({ id: z.string() }).nullable().describe("Where it is known."),
  createdAt: timeField.nullable(),
  updatedAt: timeField.nullable(),
});

export function shownSequence({ id, name, folderId, createdAt, updatedAt }: KnownSequence) {
  return {
    id,
    name,
    folder: folderId === null ? null : { id: folderId },
    createdAt: createdAt?.toISOString() ?? null,
    updatedAt: updatedAt?.toISOString() ?? null,
  };
}
