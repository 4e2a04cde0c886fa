import type { Pool } from "pg";
import { pino } from "pino";
import { createDirectory, type Directory } from "../../../src/directory/directory.js";
import { createAcceptor, type AcceptResult, type IncomingExecution } from "../../../src/executions/accept.js";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "../../../src/executions/claim.js";
import { readOwedCompletions, writeCompletionResults } from "../../../src/executions/completions.js";
import type { ClaimedExecution } from "../../../src/executions/execution.js";
import { expirePastDeadline } from "../../../src/executions/expire.js";
import { failed } from "../../../src/executions/outcome.js";
import { resumePortal } from "../../../src/executions/resume.js";
import { writeFindings, type Finding } from "../../../src/executions/write-back.js";
import type { PortalGateway } from "../../../src/hubspot/gateway.js";
import { RequestBudget } from "../../../src/hubspot/request-budget.js";
import { enrollContact } from "../../../src/jobs/enroll-contact.js";
import { giveUp, PortalTurn } from "../../../src/jobs/portal-turn.js";
import { sendCompletions } from "../../../src/jobs/send-completions.js";
import { SenderDesk } from "../../../src/jobs/sender-desk.js";
import { settleUncertain } from "../../../src/jobs/settle-uncertain.js";
import { createSlotSource } from "../../../src/jobs/slot-source.js";
import {
  acquirePortal,
  LEASE_CTE,
  releasePortal,
  type PortalLease,
} from "../../../src/queue/portal-lease.js";
import {
  Crash,
  ModelHubSpot,
  SEQUENCE,
  type CompleteAnswer,
  type ContactKind,
  type EnrollAnswer,
  type ReadAnswer,
} from "./hubspot.js";

/** A worker that holds, or held, the portal. */
interface Owner {
  readonly ownership: Ownership;
  readonly lease: PortalLease;
  readonly desk: SenderDesk;
  claimed: ClaimedExecution[];
  findings: Finding[];
}

export interface AttemptAnswers {
  readonly enroll: EnrollAnswer;
  readonly read: ReadAnswer;
}

/** SQL: an owner is reading it and has a minute for that. */
const BEING_READ = `(state = 'UNCERTAIN' AND epoch IS NOT NULL)`;

/** The entry that a drawn number stands for, however few there are yet. */
export function at<T>(entries: readonly T[], drawn: number): T | undefined {
  return entries[drawn % entries.length];
}

const logger = pino({ level: "silent" });

/** One portal of the real database, worked on by the real functions, with HubSpot in memory. */
export class World {
  readonly hubspot = new ModelHubSpot();
  readonly pool: Pool;
  readonly portalId: bigint;
  /** Callbacks that we answered with BLOCK, in order. */
  readonly accepted: string[] = [];
  readonly #directory: Directory;
  readonly #accept: (execution: IncomingExecution) => Promise<AcceptResult>;
  #owner: Owner | undefined;
  readonly #paused: Owner[] = [];
  #deliveries = 0;

  private constructor(pool: Pool, portalId: bigint) {
    this.pool = pool;
    this.portalId = portalId;
    this.#directory = createDirectory({ pool });
    this.#accept = createAcceptor({ pool, deadlineHours: 144, onStored: () => undefined });
  }

  static async create(pool: Pool, portalId: bigint): Promise<World> {
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    const world = new World(pool, portalId);
    const owner = { id: "7", userId: 7n, email: "a@b.c", firstName: "A", lastName: "B" };
    await world.#directory.saveOwners(portalId, [{ ...owner, type: "PERSON", archived: false }], {
      isComplete: false,
    });
    return world;
  }

  /** HubSpot calls for a contact of its own, or for the one of an earlier call. */
  async deliverNew(call: { kind: ContactKind; isShared: boolean; isAnswerLost: boolean }): Promise<void> {
    const number = (this.#deliveries += 1);
    const shared = call.isShared ? at([...this.hubspot.contacts.keys()], number) : undefined;
    const contactId = shared ?? String(1_000 + number);
    if (shared === undefined) this.hubspot.addContact(contactId, call.kind);
    this.hubspot.addCallback(`ap-${this.portalId}-${number}`, contactId);
    await this.deliver(number - 1, call.isAnswerLost);
  }

  /** HubSpot calls, for the first time or again. It holds the contact only once it has our BLOCK. */
  async deliver(index: number, isAnswerLost = false): Promise<void> {
    const callback = at([...this.hubspot.callbacks.values()], index);
    // What HubSpot has completed it does not deliver again.
    if (callback === undefined || callback.taken.length > 0) return;
    const result = await this.#accept({
      kind: "ENROLL",
      ...{ portalId: this.portalId, callbackId: callback.id, contactId: callback.contactId },
      ...{ workflowId: "1", sequenceId: SEQUENCE },
      request: {
        senderMode: "contact_owner",
        ifAlreadyEnrolled: index % 2 === 0 ? "skip" : "fail",
        properties: { email: "c@d.e", hubspot_owner_id: "7" },
      },
    });
    if (result === "not_connected") return;
    if (!this.accepted.includes(callback.id)) this.accepted.push(callback.id);
    if (isAnswerLost) return;
    callback.isHeld = true;
    callback.isSettled = false;
  }

  /** A worker takes the portal; whoever held it is paused, and does not know. */
  async acquire(): Promise<void> {
    if (this.#owner !== undefined) this.#paused.push(this.#owner);
    const lease = await acquirePortal(this.pool, this.portalId);
    const ownership = { pool: this.pool, portalId: this.portalId, epoch: lease.epoch, leaseCte: LEASE_CTE };
    const desk = new SenderDesk({ owner: ownership, now: () => new Date() });
    this.#owner = { ownership, lease, desk, claimed: [], findings: [] };
    await recoverAttempts(ownership);
    if (!this.hubspot.isConnected) await expirePastDeadline(ownership);
  }

  async #ownerNow(): Promise<Owner> {
    if (this.#owner === undefined) await this.acquire();
    return this.#owner as Owner;
  }

  /** The worker dies with all it knew. */
  crash(): void {
    this.#owner = undefined;
  }

  async release(): Promise<void> {
    if (this.#owner === undefined || this.#owner.claimed.length > 0) return;
    await this.write();
    await releasePortal(this.pool, this.#owner.lease, { slotsFreeInMs: [], allowance: undefined });
    this.#owner = undefined;
  }

  async claim(limit: number): Promise<void> {
    if (!this.hubspot.isConnected) return;
    const owner = await this.#ownerNow();
    owner.claimed.push(...(await claimUncertain(owner.ownership, limit)));
    owner.claimed.push(...(await claimDue(owner.ownership, limit)));
  }

  /** The owner attempts what it claimed, one after the other, and keeps what it finds to itself. */
  async attempt(answers: readonly AttemptAnswers[]): Promise<void> {
    const owner = await this.#ownerNow();
    for (const answer of answers) {
      const execution = owner.claimed.shift();
      if (execution === undefined) return;
      try {
        const result = giveUp(execution) ?? (await this.#attempt(execution, answer));
        owner.findings.push({ id: execution.id, from: execution.state, result });
      } catch (fault) {
        if (!(fault instanceof Crash)) throw fault;
        return this.crash();
      }
    }
  }

  #attempt(execution: ClaimedExecution, answers: AttemptAnswers) {
    const gateway = this.hubspot.forAttempt(execution.callbackId, answers) as PortalGateway;
    const ownerReads = () => Promise.resolve(undefined);
    const { desk } = this.#owner as Owner;
    const context = { portalId: this.portalId, gateway, directory: this.#directory, ownerReads, desk };
    return (execution.state === "UNCERTAIN" ? settleUncertain : enrollContact)(execution, context);
  }

  async write(): Promise<void> {
    const owner = await this.#ownerNow();
    const findings = owner.findings.splice(0);
    const written = await writeFindings(owner.ownership, findings);
    if (written !== findings.length)
      this.hubspot.violations.push(`${findings.length - written} findings of the portal's owner were void`);
  }

  async complete(
    answers: { batch: CompleteAnswer; single: CompleteAnswer },
    onAnswered: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    if (!this.hubspot.isConnected) return;
    const { ownership } = await this.#ownerNow();
    const gateway = this.hubspot.forCompletions(answers, onAnswered) as PortalGateway;
    try {
      await sendCompletions(ownership, gateway);
    } catch (fault) {
      if (!(fault instanceof Crash)) throw fault;
      return this.crash();
    }
    const { rows } = await this.pool.query<{ callback_id: string }>(
      `SELECT callback_id FROM executions WHERE portal_id = $1 AND state IN ('COMPLETED', 'COMPLETION_REFUSED')`,
      [this.portalId],
    );
    for (const { callback_id: id } of rows) {
      const callback = this.hubspot.callbacks.get(id);
      if (callback !== undefined) callback.isSettled = true;
    }
  }

  /** A worker that slept through its lease goes on where it stopped. Nothing of it may have an effect. */
  async wakePaused(index: number): Promise<void> {
    const owner = at(this.#paused, index);
    if (owner === undefined) return;
    const { ownership } = owner;
    const attempting = owner.claimed.map(({ id, state }): Finding => {
      return { id, from: state, result: { to: "DECIDED", outcome: failed("HUBSPOT_REJECTED") } };
    });
    const before = await this.#everything();
    await writeFindings(ownership, [...owner.findings, ...attempting]);
    await recoverAttempts(ownership);
    await claimUncertain(ownership, 5);
    await claimDue(ownership, 5);
    const owed = await readOwedCompletions(ownership, 100);
    await writeCompletionResults(
      ownership,
      owed.map(({ id }) => ({ id, to: "COMPLETED" })),
    );
    await expirePastDeadline(ownership);
    await releasePortal(this.pool, owner.lease, { slotsFreeInMs: [60_000], allowance: undefined });
    if ((await this.#everything()) !== before) this.hubspot.violations.push("a paused worker had an effect");
  }

  async #everything(): Promise<string> {
    const { rows } = await this.pool.query(
      `SELECT d::text AS line FROM portal_drains d WHERE portal_id = $1
        UNION ALL (SELECT e::text FROM executions e WHERE portal_id = $1 ORDER BY id)`,
      [this.portalId],
    );
    return JSON.stringify(rows);
  }

  /** Every wait is over, but the minute an owner has for a read. */
  async passTime(): Promise<void> {
    await this.pool.query(
      `UPDATE executions SET due_at = now() WHERE portal_id = $1 AND due_at > now() AND NOT ${BEING_READ}`,
      [this.portalId],
    );
  }

  /** No wait outlasts the deadline; what an owner is reading stays its own. */
  async passDeadline(index: number): Promise<void> {
    await this.pool.query(
      `UPDATE executions SET deadline_at = now(), due_at = CASE WHEN ${BEING_READ} THEN due_at ELSE least(due_at, now()) END
        WHERE portal_id = $1 AND callback_id = $2`,
      [this.portalId, at(this.accepted, index)],
    );
  }

  async setConnected(isConnected: boolean): Promise<void> {
    this.hubspot.isConnected = isConnected;
    await this.pool.query(`UPDATE portals SET status = $2 WHERE portal_id = $1`, [
      this.portalId,
      isConnected ? "CONNECTED" : "DISCONNECTED",
    ]);
    if (isConnected) await resumePortal(this.pool, this.portalId);
  }

  /** A whole turn as the worker runs it, with nothing going wrong. */
  async turn(): Promise<void> {
    await this.acquire();
    const { ownership } = this.#owner as Owner;
    const budget = new RequestBudget({
      limit: 1_000,
      windowMs: 10_000,
      now: () => performance.now(),
      inheritedMs: [],
    });
    const settled = this.hubspot.forCompletions({ batch: "ok", single: "ok" }, () => Promise.resolve());
    await new PortalTurn({
      ...{ owner: ownership, budget, logger, circuit: { isProbing: false }, mayGoOn: () => true },
      mayAttempt: () => Promise.resolve(true),
      slots: createSlotSource(budget, { portalId: this.portalId, mayStillSend: () => true }),
      gatewayWith: () => settled as PortalGateway,
      attempt: (execution) => this.#attempt(execution, { enroll: "ok", read: "ok" }),
    }).run();
  }
}
