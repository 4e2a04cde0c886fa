import { setTimeout as sleep } from "node:timers/promises";
import { isStorageDown } from "../errors.js";

/** What was learned from HubSpot and not written would be asked again: a short trouble of the database is waited for. */
const WRITE_AGAIN_MS = [100, 400, 1_600];

/** Writes again a few times where the database is in trouble. @throws what the last try threw. */
export async function writeSurely(write: () => Promise<unknown>): Promise<void> {
  for (const pauseMs of WRITE_AGAIN_MS) {
    try {
      await write();
      return;
    } catch (fault) {
      if (!isStorageDown(fault)) throw fault;
      await sleep(pauseMs);
    }
  }
  await write();
}
