import type { Database } from "#platform/db/client.js";
import type { Prisma } from "#platform/db/generated/client.js";

/** Columns of an execution a test cares about; the rest is what a call that was just accepted has. */
export interface ExecutionSeed {
  portalId: bigint;
  kind?: string;
  state?: string;
  enrollmentStatus?: string | null;
  contactId?: string;
  contactEmail?: string | null;
  sequenceId?: string | null;
  sequenceName?: string | null;
  senderUserId?: bigint | null;
  senderEmail?: string | null;
  errorCode?: string | null;
  errorMessage?: string | null;
  lastProblem?: string | null;
  completionProblem?: string;
  completionDoubtedAt?: Date;
  attempts?: number;
  acceptedAt?: Date;
  deadlineAt?: Date;
  dueAt?: Date;
  decidedAt?: Date;
  enrolledAt?: Date;
  workflowId?: string;
  request?: Prisma.InputJsonValue;
  senderChoice?: Prisma.InputJsonValue;
  outputs?: Record<string, string>;
  callbackId?: string;
  /** With `isHeld: false`: an admin's retry of that execution. */
  retryOf?: bigint;
  isHeld?: boolean;
}

/** Rows of one statement: the client takes its time over each while the transaction waits. */
const SLICE = 500;

/** Stores executions as they stand, in the order given. */
export async function seedExecutions({ prisma }: Database, seeds: readonly ExecutionSeed[]): Promise<void> {
  const total = await prisma.execution.count();
  const data = seeds.map((seed, index) => ({
    callbackId: `callback-${total + index}`,
    kind: "ENROLL",
    state: seed.enrollmentStatus === undefined ? "QUEUED" : "COMPLETED",
    contactId: String(1000 + total + index),
    deadlineAt: new Date(Date.now() + 86_400_000),
    request: {},
    ...(seed.enrollmentStatus == null ? {} : { decidedAt: seed.acceptedAt ?? new Date() }),
    // What is being attempted names its owner.
    ...(seed.state === "ATTEMPTING" ? { epoch: 1n } : {}),
    ...seed,
  }));
  for (let from = 0; from < data.length; from += SLICE)
    await prisma.execution.createMany({ data: data.slice(from, from + SLICE) });
}
