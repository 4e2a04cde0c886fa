import type { Pool } from "pg";
import { createDirectory } from "#domain/directory/directory.js";
import { createAcceptor, type AcceptResult } from "#domain/executions/accept/accept.js";
import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import { resumePortal } from "#domain/executions/resume.js";
import { toTheEnd } from "#domain/executions/slices.js";
import type { BlockAnswer } from "./answers.js";
import { CONTACT_PROPERTIES, ModelHubSpot, SEQUENCE, type ContactKind, UNKIND } from "./hubspot.js";
import { PortalWorker } from "./worker.js";

/** SQL: an owner is reading it and has a minute for that. */
const BEING_READ = `(state = 'UNCERTAIN' AND epoch IS NOT NULL)`;

/** The entry that a drawn number stands for, however few there are yet. */
export function at<T>(entries: readonly T[], drawn: number): T | undefined {
  return entries[drawn % entries.length];
}

export interface NewCall {
  readonly kind: ContactKind;
  /** For a contact of an earlier call. */
  readonly isShared: boolean;
  readonly answer: BlockAnswer;
}

/** One portal of the real database, worked on by the real functions, with HubSpot in memory. */
export class World {
  readonly hubspot: ModelHubSpot;
  readonly worker: PortalWorker;
  readonly pool: Pool;
  readonly portalId: bigint;
  /** Callbacks that we answered with BLOCK, in order. */
  readonly accepted: string[] = [];
  readonly #accept: (execution: IncomingExecution) => Promise<AcceptResult>;
  #deliveries = 0;

  private constructor(pool: Pool, portalId: bigint, hubspot: ModelHubSpot) {
    this.pool = pool;
    this.hubspot = hubspot;
    this.portalId = portalId;
    const directory = createDirectory({ pool });
    this.worker = new PortalWorker({ pool, portalId, hubspot: this.hubspot, directory });
    this.#accept = createAcceptor({ pool, deadlineHours: 144, onStored: () => undefined });
  }

  /** @param answers what HubSpot answers where its documents are silent. */
  static async create(pool: Pool, portalId: bigint, answers = UNKIND): Promise<World> {
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    await pool.query(
      `INSERT INTO owners (portal_id, owner_id, user_id, email, type, is_archived) VALUES ($1, '7', 7, 'a@b.c', 'PERSON', false)`,
      [portalId],
    );
    return new World(pool, portalId, new ModelHubSpot(answers));
  }

  /** HubSpot calls for a contact of its own, or for the one of an earlier call. */
  async deliverNew(call: NewCall): Promise<void> {
    const number = (this.#deliveries += 1);
    const shared = call.isShared ? at([...this.hubspot.contacts.keys()], number) : undefined;
    const contactId = shared ?? String(1_000 + number);
    if (shared === undefined) this.hubspot.addContact(contactId, call.kind);
    this.hubspot.addCallback(`ap-${this.portalId}-${number}`, contactId);
    await this.deliver(number - 1, call.answer);
  }

  /** HubSpot calls, for the first time or again. It holds the contact only once it has read our BLOCK. */
  async deliver(index: number, answer: BlockAnswer = "read"): Promise<void> {
    const callback = at([...this.hubspot.callbacks.values()], index);
    // What HubSpot has completed it does not deliver again.
    if (callback === undefined || callback.taken.length > 0) return;
    const result = await this.#accept({
      kind: "ENROLL",
      portalId: this.portalId,
      callbackId: callback.id,
      contactId: callback.contactId,
      workflowId: "1",
      sequenceId: SEQUENCE,
      request: {
        senderMode: "contact_owner",
        ifAlreadyEnrolled: index % 2 === 0 ? "skip" : "fail",
        properties: CONTACT_PROPERTIES,
      },
    });
    if (result === "not_connected") return;
    if (!this.accepted.includes(callback.id)) this.accepted.push(callback.id);
    this.hubspot.answered(callback, answer);
  }

  /** Seconds pass, but for an owner that is reading: it stays within its minute. */
  async passSeconds(seconds: number): Promise<void> {
    this.hubspot.passSeconds(seconds);
    await this.pool.query(
      `UPDATE executions SET due_at = due_at - $2 * interval '1 second', decided_at = decided_at - $2 * interval '1 second',
                             doubted_at = doubted_at - $2 * interval '1 second'
        WHERE portal_id = $1 AND NOT ${BEING_READ}`,
      [this.portalId, seconds],
    );
  }

  /** A minute passes, and every wait is over. */
  async passTime(): Promise<void> {
    await this.passSeconds(60);
    await this.pool.query(
      `UPDATE executions SET due_at = least(due_at, now() - interval '1 second') WHERE portal_id = $1 AND NOT ${BEING_READ}`,
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
    if (isConnected) await toTheEnd(resumePortal(this.pool, this.portalId));
  }
}
