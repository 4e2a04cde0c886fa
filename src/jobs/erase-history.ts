import type { Pool } from "pg";
import { endErasure, eraseNext, listErasures } from "../executions/erase.js";

/** Rows looked at in one statement: some milliseconds, so that nothing waits behind it. */
const STEP = 500;

/** Erases the history of every portal whose admin asked for it. Two processes at it do no harm: a row goes once. */
export async function eraseHistories({
  pool,
  isEnding,
}: {
  pool: Pool;
  isEnding: () => boolean;
}): Promise<void> {
  for (const erasure of await listErasures(pool)) {
    let after: bigint | undefined = 0n;
    while (after !== undefined && !isEnding())
      after = await eraseNext(pool, { ...erasure, after, limit: STEP });
    if (after === undefined) await endErasure(pool, erasure);
  }
}
