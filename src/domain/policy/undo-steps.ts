import { z } from "zod";
import type { Prisma } from "#platform/db/generated/client.js";
import { policySchema } from "#domain/contract/policy.js";
import { awayDatesSchema } from "#domain/contract/sender-policy.js";
import { authorOf, type Actor } from "#domain/contract/actor.js";

/** How long a change can be undone. */
export const UNDO_MINUTES = 10;

const id = z.string().transform(BigInt);
const nullableId = id.nullable();

/**
 * What a change replaced, and the version it left behind (null: it deleted the thing): only what is still as the change
 * left it can be restored.
 */
export const undoStep = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("preset"),
    presetId: id,
    before: z.object({ name: z.string(), policy: policySchema, isDefault: z.boolean() }),
    version: z.number().nullable(),
  }),
  z.object({
    kind: z.literal("rotation"),
    rotationId: id,
    before: z.object({
      name: z.string(),
      keepsSender: z.boolean(),
      members: z.array(z.object({ userId: id, weight: z.number(), picks: id })),
    }),
    version: z.number().nullable(),
  }),
  z.object({
    kind: z.literal("marks"),
    senders: z.array(
      z.object({ userId: id, name: z.string(), isAllowed: z.boolean().nullable(), version: z.number() }),
    ),
  }),
  z.object({
    kind: z.literal("sender"),
    userId: id,
    name: z.string(),
    before: z.object({
      isAllowed: z.boolean().nullable(),
      sendAsEmail: z.string().nullable(),
      senderAlias: z.string().nullable(),
      dailyCap: z.number().nullable(),
      windowDays: z.array(z.number()),
      windowStartMinute: z.number().nullable(),
      windowEndMinute: z.number().nullable(),
      timeZone: z.string().nullable(),
      away: awayDatesSchema,
    }),
    version: z.number(),
  }),
  z.object({
    kind: z.literal("policy"),
    before: z
      .object({
        defaultSenderUserId: nullableId,
        defaultPresetId: nullableId,
        sequenceReaderUserId: nullableId,
        onlyListedSenders: z.boolean(),
        maxHoldDays: z.number(),
        retentionDays: z.number().nullable(),
      })
      .partial(),
    version: z.number(),
    defaultPresetId: nullableId,
  }),
]);
export type UndoStep = z.output<typeof undoStep>;

/**
 * Stores what a change replaced, in the change's transaction; rows older than an hour are deleted along the way.
 * Nothing is stored for a change that was made without a key.
 */
// eslint-disable-next-line house/audited-verbs -- a part of the verbs that make the changes
export async function keepUndo(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { undoKey, step }: { undoKey: string | undefined; step: UndoStep },
): Promise<void> {
  if (undoKey === undefined) return;
  const { portalId } = actor;
  await transaction.undoStep.deleteMany({
    where: { portalId, createdAt: { lt: new Date(Date.now() - 3_600_000) } },
  });
  const plain = JSON.stringify(step, (_key, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
  await transaction.undoStep.create({
    data: {
      portalId,
      key: undoKey,
      userId: authorOf(actor).userId,
      step: JSON.parse(plain) as Prisma.InputJsonValue,
    },
  });
}
