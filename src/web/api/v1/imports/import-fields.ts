import { z } from "zod";
import type { ChangeOutcome } from "#domain/imports/change-import.js";
import { NO_FACTS } from "#domain/imports/close-choices.js";
import { enrollmentDefaultsSchema } from "#domain/imports/enrollment-defaults.js";
import { IMPORT_FIELDS } from "#domain/imports/file/guess-mapping.js";
import { findImport, IMPORT_SOURCES, IMPORT_STATES, type Import } from "#domain/imports/import.js";
import { SOURCE_PROBLEMS } from "#domain/imports/source-problems.js";
import { countRows } from "#domain/imports/results.js";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Answer } from "#web/api/kit/endpoint.js";
import { idParameter, timeField } from "#web/api/kit/fields.js";
import { refusal, type RefusedRequest } from "#web/api/kit/problem.js";

/** What every endpoint of one import takes. */
export const importParameters = z.strictObject({ id: idParameter });

const count = z.int().nonnegative();

export const mappingField = z
  .partialRecord(z.enum(IMPORT_FIELDS), z.string().max(1_000))
  .describe("Field to column of the file.");

/** An import, as every endpoint answers it. */
export const importField = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(IMPORT_STATES),
  source: z.enum(IMPORT_SOURCES),
  segmentId: z.string().nullable(),
  problem: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe("Why the segment could not be read; the import is CANCELLED then."),
  close: z
    .object({
      statuses: z.array(z.object({ status: z.string(), subscriptions: count, isChosen: z.boolean() })),
      sequences: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          subscriptions: count,
          sequenceId: z.string().nullable(),
        }),
      ),
      senders: z.array(z.object({ email: z.string(), subscriptions: count, userId: z.string().nullable() })),
    })
    .nullable()
    .describe("What was read of Close, and what it stands for here; null: the rows are not from there."),
  columns: z.array(z.string()),
  mapping: mappingField,
  defaults: enrollmentDefaultsSchema,
  counts: z
    .object({
      rows: count,
      handled: count,
      enrolled: count,
      alreadyEnrolled: count,
      skipped: count,
      failed: count,
      waiting: count,
      invalid: count,
      duplicate: count,
      reasons: z.record(z.string(), count),
    })
    .describe("While the status is CHECKING or CHECKED: what the dry run foresees."),
  createdAt: timeField,
  endedAt: timeField.nullable(),
});

function closeOf({ closeFacts, choices }: Import): object {
  const { statuses, sequences, senders } = closeFacts ?? NO_FACTS;
  return {
    statuses: statuses.map(({ status, count: subscriptions }) => ({
      status,
      subscriptions,
      isChosen: choices.statuses?.includes(status) ?? false,
    })),
    sequences: sequences.map(({ id, name, count: subscriptions }) => ({
      id,
      name,
      subscriptions,
      sequenceId: choices.sequences?.[id] ?? null,
    })),
    senders: senders.map(({ email, count: subscriptions }) => ({
      email,
      subscriptions,
      userId: choices.senders?.[email] ?? null,
    })),
  };
}

/** Answers with an import as it is now; with 201, it says where that is. */
export async function answerImport(
  { database, portalId, status }: { database: Pick<Database, "pool">; portalId: PortalId; status: number },
  one: Import,
): Promise<Answer> {
  const { source, sourceId: segmentId, problem: code } = one;
  const problem = code && { code, message: SOURCE_PROBLEMS[code] };
  const { id, name, state, columns, mapping, defaults, createdAt, endedAt } = one;
  const counts = await countRows(database.pool, portalId, one);
  const close = one.source === "CLOSE" ? closeOf(one) : null;
  const body = {
    id: String(id),
    name,
    status: state,
    source,
    segmentId,
    problem,
    close,
    columns,
    mapping,
    defaults,
    counts,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
  return { status, body, ...(status === 201 && { headers: { Location: `/api/v1/imports/${id}` } }) };
}

/** The same by its id. */
export async function readImport(
  { database, portalId, status }: { database: Pick<Database, "pool">; portalId: PortalId; status: number },
  id: bigint,
): Promise<Answer | RefusedRequest> {
  const one = await findImport(database.pool, { portalId, id });
  return one === undefined ? refusal("NOT_FOUND") : answerImport({ database, portalId, status }, one);
}

/** Answers with what came of a change. */
export async function answerChange(
  to: { database: Pick<Database, "pool">; portalId: PortalId; status: number },
  outcome: ChangeOutcome,
): Promise<Answer | RefusedRequest> {
  switch (outcome.kind) {
    case "changed":
      return answerImport(to, outcome.import);
    case "not-found":
      return refusal("NOT_FOUND");
    case "conflict":
      return refusal("CONFLICT", { detail: `The import is ${outcome.state}, which does not allow it.` });
    case "changed-meanwhile":
      return refusal("CONFLICT", { detail: "The import was set up in another way meanwhile." });
    case "incomplete": {
      const errors = outcome.problems.map(({ field, detail }) => ({ pointer: `/${field}`, detail }));
      return refusal("INVALID_REQUEST", { status: 422, errors });
    }
  }
}
