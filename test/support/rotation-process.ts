import { openDatabase } from "#platform/db/client.js";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { enrolled, failed } from "#domain/contract/outcome.js";
import { writeFindings, type Finding, type Result } from "#domain/executions/write-back.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { effectivePolicy } from "#domain/senders/effective-policy.js";
import { acquirePortal, LEASE_CTE, releasePortal } from "#platform/queue/portal-lease.js";
import { randomFrom } from "../../src/simulator/world/random.js";

/** What the parent sends to a process that takes a portal in turns with others. */
export interface RotationTask {
  databaseUrl: string;
  portalId: string;
  seed: number;
  /** Share of the turns that break off, with nothing written of what was sent last. */
  crashShare: number;
  perClaim: number;
}

const CLAIMS_PER_TURN = 4;
/** Turns are taken one at a time, as the queue sees to in the app. */
const TURN_LOCK = 4_711;

process.once("message", (task: RotationTask) => {
  void run(task)
    .then((turns) => process.send?.(turns))
    .finally(() => process.disconnect());
});
process.send?.("ready");

async function run(task: RotationTask): Promise<number> {
  const database = openDatabase({ url: task.databaseUrl, applicationName: "rotation process", poolSize: 4 });
  const { pool } = database;
  const random = randomFrom(task.seed);
  let turns = 0;
  try {
    for (let isMoreLeft = true; isMoreLeft; turns += 1) {
      const client = await pool.connect();
      try {
        // Others hold it for whole turns, longer than the app's own statements may wait.
        await client.query(`SET lock_timeout = 0; SET statement_timeout = 0`);
        await client.query(`SELECT pg_advisory_lock($1)`, [TURN_LOCK]);
        isMoreLeft = await takeTurn(task, pool, random.chance(task.crashShare));
        await client.query(`SELECT pg_advisory_unlock($1)`, [TURN_LOCK]);
      } finally {
        client.release();
      }
    }
    return turns;
  } finally {
    await database.close();
  }
}

async function takeTurn(task: RotationTask, pool: Ownership["pool"], crashes: boolean): Promise<boolean> {
  const portalId = BigInt(task.portalId);
  const lease = await acquirePortal(pool, portalId);
  const owner = { pool, portalId, epoch: lease.epoch, leaseCte: LEASE_CTE };
  const selection = new SenderSelection({ owner, now: () => new Date() });
  await recoverAttempts(owner, { isCrash: true });
  for (let count = 0; count < CLAIMS_PER_TURN; count += 1) {
    const uncertain = await claimUncertain(owner, task.perClaim);
    const due = await claimDue(owner, task.perClaim);
    if (uncertain.length + due.length === 0) return false;
    const isLast = crashes && count === CLAIMS_PER_TURN - 2;
    const findings = await Promise.all([
      ...uncertain.map((execution) => found(execution, selection, settled(execution, pool))),
      ...due.map((execution) =>
        found(execution, selection, attempted(execution, selection, { pool, isLast })),
      ),
    ]);
    // As if killed: what was sent is at "HubSpot", and not in our own tables.
    if (isLast) return true;
    await writeFindings(owner, findings);
  }
  await releasePortal(pool, lease, { slotsFreeInMs: [], allowance: undefined });
  return true;
}

async function found(
  execution: ClaimedExecution,
  selection: SenderSelection,
  ending: Promise<Result>,
): Promise<Finding> {
  const result = await ending;
  await selection.settle(execution, result);
  return { id: execution.id, from: execution.state, result };
}

async function settled({ id }: ClaimedExecution, pool: Ownership["pool"]): Promise<Result> {
  const { rows } = await pool.query<{ sender: string }>(`SELECT sender FROM sends WHERE execution_id = $1`, [
    id,
  ]);
  const sender = rows[0] && { userId: BigInt(rows[0].sender), email: "a@b.example" };
  if (sender === undefined) return { to: "QUEUED", delayMs: 0 };
  return { to: "DECIDED", outcome: enrolled({ id: String(id), enrolledAt: new Date(), sender }) };
}

/**
 * One contact as the app would do it; `sends` stands for HubSpot. In a turn that breaks off some are chosen and never sent:
 * one in seven, which shares no factor with a rotation's round.
 */
async function attempted(
  execution: ClaimedExecution,
  selection: SenderSelection,
  { pool, isLast }: { pool: Ownership["pool"]; isLast: boolean },
): Promise<Result> {
  const effective = effectivePolicy(await selection.policy.current(), execution.request);
  if (effective.kind === "unusable") throw new Error(effective.reason);
  const decision = await selection.choose({
    executionId: execution.id,
    policy: effective.policy,
    properties: {},
    alias: undefined,
    people: {
      owner: () => Promise.resolve(undefined),
      userEmails: (userIds) => Promise.resolve(new Map(userIds.map((id) => [id, `${id}@b.example`]))),
    },
    lastSender: () => Promise.resolve(undefined),
    patienceMs: 0,
  });
  if (decision.kind !== "send") {
    const code = decision.kind === "fail" ? decision.code : "DEADLINE_EXCEEDED";
    return { to: "DECIDED", outcome: failed(code) };
  }
  const { choice: senderChoice } = decision;
  const { userId, email } = decision.sender;
  await selection.storeIntent({
    executionId: execution.id,
    senderUserId: userId,
    senderEmail: email,
    senderChoice,
  });
  if (!isLast || execution.id % 7n !== 0n)
    await pool.query(`INSERT INTO sends (execution_id, sender) VALUES ($1, $2)`, [execution.id, userId]);
  const sender = { userId, email };
  return { to: "DECIDED", outcome: enrolled({ id: "1", enrolledAt: new Date(), sender }) };
}
