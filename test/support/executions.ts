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

/** Rows of one statement. */
const SLICE = 5_000;

/** Of a property's name. */
const columnOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Stores executions as they stand, in the order given: by one statement, since the client takes a millisecond over each row. */
export async function seedExecutions({ pool }: Database, seeds: readonly ExecutionSeed[]): Promise<void> {
  const { rows } = await pool.query<{ total: number }>("SELECT count(*)::int AS total FROM executions");
  const total = rows[0]?.total ?? 0;
  const now = new Date();
  const data = seeds.map((seed, index) => ({
    callbackId: `callback-${total + index}`,
    kind: "ENROLL",
    state: seed.enrollmentStatus === undefined ? "QUEUED" : "COMPLETED",
    isHeld: true,
    attempts: 0,
    acceptedAt: now,
    dueAt: now,
    contactId: String(1000 + total + index),
    deadlineAt: new Date(Date.now() + 86_400_000),
    request: {},
    ...(seed.enrollmentStatus == null ? {} : { decidedAt: seed.acceptedAt ?? new Date() }),
    // What is being attempted names its owner.
    ...(seed.state === "ATTEMPTING" ? { epoch: 1n } : {}),
    ...Object.fromEntries(Object.entries(seed).filter(([, value]) => value !== undefined)),
  }));
  const columns = [...new Set(data.flatMap((row) => Object.keys(row)))].map(columnOf).join(", ");
  for (let from = 0; from < data.length; from += SLICE)
    await pool.query(
      `INSERT INTO executions (${columns})
       SELECT ${columns} FROM json_populate_recordset(NULL::executions, $1::json) WITH ORDINALITY ORDER BY ordinality`,
      [JSON.stringify(data.slice(from, from + SLICE).map(rowOf))],
    );
}

/** By column, as JSON can tell it. */
function rowOf(seed: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(seed).map(([name, value]) => [
      columnOf(name),
      typeof value === "bigint" ? String(value) : (value as unknown),
    ]),
  );
}
