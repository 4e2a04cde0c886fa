import type { Pool } from "pg";
import { pino } from "pino";
import type { Directory } from "#domain/directory/directory.js";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import {
  doubtCompletions,
  readOwedCompletions,
  writeCompletionResults,
} from "#domain/executions/completions.js";
import { OPEN_STATES, type ClaimedExecution } from "#domain/contract/execution.js";
import { expirePastDeadline } from "#domain/executions/overdue/expire.js";
import { failed } from "#domain/contract/outcome.js";
import { writeFindings, type Finding } from "#domain/executions/write-back.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { afterCrash } from "#worker/attempt/attempt-faults.js";
import { attemptExecution } from "#worker/attempt/attempt-execution.js";
import { ContactProperties, createReadAhead } from "#worker/attempt/contact-properties.js";
import { BELIEVE_NONE_AFTER_MS } from "#worker/attempt/doubt.js";
import { createDoubtedContacts } from "#worker/attempt/doubted-contacts.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";
import { PortalTurn } from "#worker/drain/portal-turn.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { sendCompletions } from "#worker/completions/send-completions.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { createTurnPeople } from "#worker/drain/turn-people.js";
import { acquirePortal, LEASE_CTE, releasePortal, type PortalLease } from "#platform/queue/portal-lease.js";
import type { AttemptAnswers, CompleteAnswers } from "./answers.js";
import { clockOf } from "../hubspot-clock.js";
import { Crash, OwnFault, type ModelHubSpot } from "./hubspot.js";

/** One who holds, or held, the portal. */
interface Owner {
  readonly ownership: Ownership;
  readonly lease: PortalLease;
  readonly selection: SenderSelection;
  readonly contacts: ContactProperties;
  claimed: ClaimedExecution[];
  findings: Finding[];
}

interface WorkerOptions {
  readonly pool: Pool;
  readonly portalId: bigint;
  readonly hubspot: ModelHubSpot;
  readonly directory: Directory;
}

const logger = pino({ level: "silent" });
const clock = clockOf();

/** More turns than any backlog of these runs takes: beyond it the portal turns in circles. */
const MOST_TURNS = 20;

/** Whoever drains the portal, step by step: its owner, and earlier ones that were paused and do not know of it. */
export class PortalWorker {
  readonly #options: WorkerOptions;
  readonly #paused: Owner[] = [];
  #owner: Owner | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** A worker takes the portal; whoever held it is paused, and does not know. */
  async acquire(): Promise<Owner> {
    const { pool, portalId, hubspot } = this.#options;
    if (this.#owner !== undefined) this.#paused.push(this.#owner);
    const lease = await acquirePortal(pool, portalId);
    const hubspotNow = () => clock.at();
    const ownership = { pool, portalId, epoch: lease.epoch, leaseCte: LEASE_CTE, hubspotNow };
    const selection = new SenderSelection({ owner: ownership, now: () => new Date() });
    const contacts = new ContactProperties({ owner: ownership, ahead: createReadAhead() });
    this.#owner = { ownership, lease, selection, contacts, claimed: [], findings: [] };
    await recoverAttempts(ownership, { isCrash: true });
    if (lease.inheritedMs === undefined) await doubtCompletions(ownership);
    if (!hubspot.isConnected) await expirePastDeadline(ownership, "DEADLINE_EXCEEDED");
    return this.#owner;
  }

  /** The worker dies with all it knew. */
  crash(): void {
    this.#owner = undefined;
  }

  async release(): Promise<void> {
    if (this.#owner === undefined || this.#owner.claimed.length > 0) return;
    await this.write();
    await releasePortal(this.#options.pool, this.#owner.lease, { slotsFreeInMs: [], allowance: undefined });
    this.#owner = undefined;
  }

  async claim(limit: number): Promise<void> {
    if (!this.#options.hubspot.isConnected) return;
    const owner = this.#owner ?? (await this.acquire());
    owner.claimed.push(...(await claimUncertain(owner.ownership, limit)));
    owner.claimed.push(...(await claimDue(owner.ownership, limit)));
  }

  /** The owner attempts what it claimed, one after the other, and keeps what it finds to itself. */
  async attempt(answers: readonly AttemptAnswers[]): Promise<void> {
    const owner = this.#owner ?? (await this.acquire());
    for (const answer of answers) {
      const execution = owner.claimed.shift();
      if (execution === undefined) return;
      try {
        const result = await this.#attempt(execution, answer);
        owner.findings.push({ id: execution.id, from: execution.state, result });
      } catch (error) {
        if (error instanceof Crash) return this.crash();
        if (!(error instanceof OwnFault)) throw error;
        owner.findings.push({
          id: execution.id,
          from: execution.state,
          result: afterCrash(execution, error),
        });
      }
    }
  }

  #attempt(execution: ClaimedExecution, answers: AttemptAnswers) {
    const { hubspot, portalId, directory } = this.#options;
    const gateway = hubspot.forAttempt(execution.callbackId, answers) as PortalGateway;
    const nobody = () => Promise.resolve(undefined);
    const { selection, contacts, ownership } = this.#owner as Owner;
    const readProperties = createDoubtedContacts(gateway);
    const doubts = { clock, believeNoneAfterMs: BELIEVE_NONE_AFTER_MS, readProperties };
    const senders = selection;
    const owner = ownership;
    const people = createTurnPeople({ owner, directory })({ readOwner: nobody, readOwnerOfUser: nobody });
    const context = { owner, portalId, gateway, directory, people, contacts, senders, doubts };
    return attemptExecution(execution, context);
  }

  async write(): Promise<void> {
    const owner = this.#owner ?? (await this.acquire());
    const findings = owner.findings.splice(0);
    const written = await writeFindings(owner.ownership, findings);
    if (written !== findings.length) {
      const { violations } = this.#options.hubspot;
      violations.push(`${findings.length - written} findings of the portal's owner were void`);
    }
  }

  /** `onAnswered` runs while HubSpot's answer to a single completion is on its way. */
  async complete(
    answers: CompleteAnswers,
    onAnswered: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { hubspot, pool, portalId } = this.#options;
    if (!hubspot.isConnected) return;
    const { ownership } = this.#owner ?? (await this.acquire());
    try {
      await sendCompletions({
        owner: ownership,
        gateway: hubspot.forCompletions(answers, onAnswered),
        writer: new RetryingWriter({ owner: ownership, logger, mayStillWrite: () => true }),
      });
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return this.crash();
    }
    const { rows } = await pool.query<{ callback_id: string }>(
      `SELECT callback_id FROM executions WHERE portal_id = $1 AND state IN ('COMPLETED', 'COMPLETION_REFUSED')`,
      [portalId],
    );
    for (const { callback_id: id } of rows) {
      const callback = hubspot.callbacks.get(id);
      if (callback !== undefined) callback.isSettled = true;
    }
  }

  /** A worker that slept through its lease goes on where it stopped. Nothing of it may have an effect. */
  async wakePaused(index: number): Promise<void> {
    const owner = this.#paused[index % this.#paused.length];
    if (owner === undefined) return;
    const { ownership } = owner;
    const attempting = owner.claimed.map(({ id, state }): Finding => {
      return { id, from: state, result: { to: "DECIDED", outcome: failed("HUBSPOT_REJECTED") } };
    });
    const before = await this.#everything();
    await writeFindings(ownership, [...owner.findings, ...attempting]);
    await recoverAttempts(ownership, { isCrash: true });
    await doubtCompletions(ownership);
    await claimUncertain(ownership, 5);
    await claimDue(ownership, 5);
    const owed = await readOwedCompletions(ownership, 100);
    await writeCompletionResults(
      ownership,
      owed.map(({ id }) => ({ id, to: "COMPLETED" })),
    );
    await expirePastDeadline(ownership, "DEADLINE_EXCEEDED");
    await releasePortal(ownership.pool, owner.lease, { slotsFreeInMs: [60_000], allowance: undefined });
    if ((await this.#everything()) !== before)
      this.#options.hubspot.violations.push("a paused worker had an effect");
  }

  async #everything(): Promise<string> {
    const { rows } = await this.#options.pool.query(
      `SELECT d::text AS line FROM portal_drains d WHERE portal_id = $1
        UNION ALL (SELECT e::text FROM executions e WHERE portal_id = $1 ORDER BY id)`,
      [this.#options.portalId],
    );
    return JSON.stringify(rows);
  }

  /**
   * Turns as the worker runs them, with nothing going wrong, until nothing is due: what a turn leaves, the queue and the
   * sweep wake it for again.
   */
  async workThrough(): Promise<void> {
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      await this.#turn();
      if (!(await this.#isAnythingDue())) return;
    }
    this.#options.hubspot.violations.push("the portal did not come to rest");
  }

  async #turn(): Promise<void> {
    const { hubspot, portalId } = this.#options;
    const { ownership } = await this.acquire();
    const window = { limit: 1_000, windowMs: 10_000, inheritedMs: [] };
    const budget = new RequestBudget({ ...window, now: () => performance.now() });
    const settled = hubspot.forCompletions({ batch: "ok", single: "ok" }, () => Promise.resolve());
    await new PortalTurn({
      owner: ownership,
      budget,
      logger,
      circuit: { isProbing: false },
      mayGoOn: () => true,
      mayStillWrite: () => true,
      mostUnderWay: () => 64,
      mayAttempt: () => Promise.resolve(true),
      slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit: { isOpen: false } }),
      gatewayWith: () => settled as PortalGateway,
      contextWith: () => ({}) as EnrollContext,
      attempt: (execution) => this.#attempt(execution, { enroll: "ok", read: "ok" }),
    }).run();
  }

  /** A little ahead: instants are stored in whole milliseconds, and `now()` may be rounded up. */
  async #isAnythingDue(): Promise<boolean> {
    const { rowCount } = await this.#options.pool.query(
      `SELECT FROM executions WHERE portal_id = $1 AND state = ANY ($2) AND due_at <= now() + interval '2 ms' LIMIT 1`,
      [this.#options.portalId, OPEN_STATES],
    );
    return rowCount !== 0;
  }
}
