import type { Pool, PoolClient } from "pg";
import { beginCommit } from "#platform/time/request-deadline.js";
import type { Prisma, PrismaClient } from "./generated/client.js";

/**
 * Runs `work` inside a transaction: committed when it resolves, rolled back when it rejects or is too late for its
 * request.
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    const committed = beginCommit();
    await client.query("COMMIT").finally(committed);
    client.release();
    return result;
  } catch (error) {
    // A connection whose rollback fails is closed, not reused.
    await client.query("ROLLBACK").then(
      () => client.release(),
      () => client.release(true),
    );
    throw error;
  }
}

/** The same with Prisma's client. Few statements, each over many rows: its transactions end after five seconds. */
export async function inPrismaTransaction<Result>(
  prisma: PrismaClient,
  work: (transaction: Prisma.TransactionClient) => Promise<Result>,
): Promise<Result> {
  let committed = (): void => undefined;
  try {
    return await prisma.$transaction(async (transaction) => {
      const result = await work(transaction);
      committed = beginCommit();
      return result;
    });
  } finally {
    committed();
  }
}
