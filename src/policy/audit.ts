import type { Database } from "../db/client.js";
import type { Prisma } from "../db/generated/client.js";

/** Who changes something: the user of the session. */
export interface Actor {
  readonly userId: bigint | null;
  readonly userEmail: string | null;
}

export type AuditSubject = "sender" | "rotation" | "preset" | "portal";
export type AuditAction = "CREATED" | "CHANGED" | "DELETED" | "CLEARED";

/** What is shown as before and after: plain values by name, ids as texts. */
export type Snapshot = Prisma.InputJsonObject;

export interface AuditedChange {
  readonly by: Actor;
  readonly subject: AuditSubject;
  /** In words an admin knows: a person's name, a preset's. */
  readonly subjectName: string;
  readonly action: AuditAction;
  /** Null where it did not exist. */
  readonly before: Snapshot | null;
  readonly after: Snapshot | null;
}

/**
 * Notes a change in the transaction that makes it, so neither is there without the other. A change that changes nothing
 * is not noted.
 */
export async function recordChange(
  transaction: Prisma.TransactionClient,
  portalId: bigint,
  { by, before, after, ...what }: AuditedChange,
): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  await transaction.auditEntry.create({
    data: {
      portalId,
      userId: by.userId,
      userEmail: by.userEmail,
      ...what,
      ...(before === null ? {} : { before }),
      ...(after === null ? {} : { after }),
    },
  });
}

export interface AuditItem {
  readonly id: bigint;
  readonly at: Date;
  readonly userId: bigint | null;
  readonly userEmail: string | null;
  readonly subject: string;
  readonly subjectName: string;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditPage {
  readonly items: AuditItem[];
  /** Where the next page begins; undefined on the last one. */
  readonly olderThan: bigint | undefined;
}

const PAGE_SIZE = 25;

/** Newest first. Ids grow with time, so the primary key gives the order. */
export async function listAuditEntries(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
  { before }: { before: bigint | undefined },
): Promise<AuditPage> {
  const rows = await prisma.auditEntry.findMany({
    where: { portalId, ...(before === undefined ? {} : { id: { lt: before } }) },
    orderBy: { id: "desc" },
    take: PAGE_SIZE + 1,
  });
  const items = rows.slice(0, PAGE_SIZE);
  return { items, olderThan: rows.length > PAGE_SIZE ? items.at(-1)?.id : undefined };
}
