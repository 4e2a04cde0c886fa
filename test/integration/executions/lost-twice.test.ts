import { expect, test } from "@jest/globals";
import { claimDue, type Ownership } from "#domain/executions/claim.js";
import {
  readOwedCompletions,
  writeCompletionResults,
  type OwedCompletion,
} from "#domain/executions/completions.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { sendBatch } from "#worker/completions/completion-calls.js";
import { acquire, done, ownerOf, pool, store, useLeaseStage } from "../../support/lease-stage.js";

useLeaseStage();

const lost = () => Promise.reject(new HubSpotUnavailable("HubSpot did not answer"));

/** Sends them in one request whose answer is lost. @returns all that is owed then. */
async function lose(owner: Ownership, batch: readonly OwedCompletion[]): Promise<OwedCompletion[]> {
  const channel = { gateway: { completeBatch: lost, completeOne: lost }, write: () => Promise.resolve() };
  const { results } = await sendBatch(channel, batch);
  await writeCompletionResults(owner, results);
  // Requests are seconds apart.
  await pool().query(
    `UPDATE executions SET due_at = now() - interval '1 millisecond', completion_doubted_at = completion_doubted_at - interval '10 seconds'`,
  );
  return readOwedCompletions(owner, 10);
}

/** Ids of completions that stand together, because they were in the same lost requests. */
function groups(owed: readonly OwedCompletion[]): string[] {
  const byDoubt = new Map<number | undefined, bigint[]>();
  for (const { id, doubtedAt } of owed)
    byDoubt.set(doubtedAt?.getTime(), [...(byDoubt.get(doubtedAt?.getTime()) ?? []), id]);
  return [...byDoubt.values()].map((ids) => ids.toSorted().join()).toSorted();
}

test("completions whose answers were lost stand together only if they were in the same lost requests", async () => {
  const ids = (await store(5)).map(String).toSorted();
  const owner = ownerOf(await acquire());
  await claimDue(owner, 5);
  await writeFindings(
    owner,
    ids.map((id) => done(BigInt(id))),
  );
  const [a, b, c, d, e] = ids;
  const of = (owed: readonly OwedCompletion[], ...wanted: (string | undefined)[]): OwedCompletion[] =>
    owed.filter(({ id }) => wanted.includes(String(id)));

  let owed = await lose(owner, of(await readOwedCompletions(owner, 10), a, b, c));
  expect(groups(owed)).toEqual([`${a},${b},${c}`, `${d},${e}`]);
  owed = await lose(owner, of(owed, d, e));
  expect(groups(owed)).toEqual([`${a},${b},${c}`, `${d},${e}`]);
  // Sent again, a part of each in one request: HubSpot may have accepted one part earlier, and the other now.
  owed = await lose(owner, of(owed, a, b, d));
  expect(groups(owed)).toEqual([`${a},${b}`, c, d, e]);
  owed = await lose(owner, owed);
  expect(groups(owed)).toEqual([`${a},${b}`, c, d, e]);
});
