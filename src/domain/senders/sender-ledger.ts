import type { Pool } from "pg";
import { Openings } from "./windows/openings.js";
import { HORIZON_DAYS } from "./windows/send-window.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";
import type { ExecutionId, PortalId, UserId } from "#platform/ids/branded-ids.js";
import { gather } from "#platform/time/gather.js";
import { DAY_MS } from "#platform/time/units.js";

/** Our clock, the database's and HubSpot's may differ by this much: an enrollment counts for a day plus this time. */
const SKEW_MS = 60_000;

/** What one sender has sent within the last day, and who waits for a place. */
interface Account {
  /** Times of enrollments, in ms, oldest first. */
  readonly sentAt: number[];
  /** Executions whose request may have been sent, or is about to be. */
  readonly open: Set<ExecutionId>;
}

interface AccountRow {
  /** Null: executions whose sender is not known. */
  user_id: string | null;
  /** Ms since each enrollment, by the database's clock. */
  ages_ms: number[] | null;
  open: string[];
  /** Only for executions without a known sender. */
  in_doubt: number;
}

/** Executions that may have been sent with an unknown sender are counted again this often while there are any. */
const RECOUNT_MS = 10_000;
/** Senders asked about within this time of each other are read by one statement: a turn begins with many owners at once. */
const GATHER_MS = 5;
/** About the time that reading one of them takes at HubSpot's pace, and the minimum to wait for them. */
const DOUBT_WAIT_MS = { each: 100, least: 5_000 };

/**
 * How often each sender of one portal has sent in the last 24 hours, kept by the portal's owner for one turn. A place
 * is reserved before a request is sent. By then the execution's row names the sender (domain/executions/intent.ts), so
 * a successor counts it too: whatever may have been sent counts until it is known not to have been.
 *
 * A restored database has lost the senders of some enrollments, and HubSpot does not report an enrollment that has
 * ended. Those count for every sender: no cap is exceeded, whoever it was.
 */
export class SenderLedger {
  readonly #pool: Pool;
  readonly #portalId: PortalId;
  readonly #now: () => Date;
  readonly #openings: Openings;
  readonly #accounts = new Map<UserId, Account>();
  readonly #loading = new Map<UserId, Promise<void>>();
  readonly #readTogether = gather({
    ms: GATHER_MS,
    run: async (asked: readonly (readonly UserId[])[]) => {
      await this.#read(asked.flat());
      return asked.map(() => undefined);
    },
  });
  readonly #senderOf = new Map<ExecutionId, UserId>();
  /** Times of enrollments with an unknown sender, in ms, oldest first. */
  #unknownSentAt: number[] = [];
  /** Executions that may have been sent with an unknown sender. */
  #unknownInDoubt = 0;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #waiters: Promise<void> | undefined;
  #waiting = new Map<UserId, number>();

  constructor(options: { pool: Pool; portalId: PortalId; now: () => Date; openings?: Openings }) {
    this.#pool = options.pool;
    this.#portalId = options.portalId;
    this.#now = options.now;
    this.#openings = options.openings ?? new Openings();
  }

  /** Loads the senders; asking about any other throws. */
  async load(userIds: readonly UserId[]): Promise<void> {
    if (this.#unknownInDoubt > 0 && performance.now() - this.#countedAtMs > RECOUNT_MS) await this.#read([]);
    if (userIds.every((userId) => this.#accounts.has(userId))) return;
    const missing = userIds.filter((userId) => !this.#loading.has(userId));
    if (missing.length > 0) {
      const read = this.#readTogether(missing);
      for (const userId of missing) {
        this.#loading.set(userId, read);
      }
      read.catch(() => {
        missing.forEach((userId) => this.#loading.delete(userId));
      });
    }
    // All at once: a sender whose load fails is forgotten, and would count as loaded if it were requested after
    // another.
    await Promise.all(userIds.flatMap((userId) => this.#loading.get(userId) ?? []));
  }

  async #read(userIds: readonly UserId[]): Promise<void> {
    this.#countedAtMs = performance.now();
    const { rows } = await this.#pool.query<AccountRow>({
      name: "read-sender-accounts",
      text: `
        SELECT asked.user_id,
               (SELECT array_agg((extract(epoch FROM now() - e.enrolled_at) * 1000)::float8 ORDER BY e.enrolled_at)
                  FROM executions e
                 WHERE e.portal_id = $1 AND e.sender_user_id = asked.user_id AND e.enrollment_status = 'ENROLLED'
                   AND e.enrolled_at > now() - $3::float8 * interval '1 millisecond') AS ages_ms,
               ARRAY(SELECT e.id::text FROM executions e
                      WHERE e.portal_id = $1 AND e.state = 'ATTEMPTING' AND e.epoch IS NOT NULL AND e.sender_user_id = asked.user_id
                     UNION ALL SELECT e.id::text FROM executions e
                      WHERE e.portal_id = $1 AND e.state = 'UNCERTAIN' AND e.sender_user_id = asked.user_id) AS open,
               0 AS in_doubt
          FROM unnest($2::bigint[]) AS asked (user_id)
         UNION ALL
        SELECT NULL,
               (SELECT array_agg((extract(epoch FROM now() - e.enrolled_at) * 1000)::float8 ORDER BY e.enrolled_at)
                  FROM executions e
                 WHERE e.portal_id = $1 AND e.sender_user_id IS NULL AND e.enrollment_status = 'ENROLLED'
                   AND e.enrolled_at > now() - $3::float8 * interval '1 millisecond'),
               '{}',
               (SELECT count(*)::int FROM executions e
                 WHERE e.portal_id = $1 AND e.state = 'UNCERTAIN' AND e.attempts > 0 AND e.sender_user_id IS NULL)`,
      values: [this.#portalId, userIds, DAY_MS + SKEW_MS],
    });
    const nowMs = this.#now().getTime();
    for (const row of rows) {
      const sentAt = (row.ages_ms ?? []).map((age) => nowMs - age);
      if (row.user_id === null) {
        this.#unknownSentAt = sentAt;
        this.#unknownInDoubt = row.in_doubt;
        continue;
      }
      const userId = BigInt(row.user_id);
      const open = new Set(row.open.map(BigInt));
      this.#accounts.set(userId, { sentAt, open });
      for (const executionId of open) this.#senderOf.set(executionId, userId);
    }
  }

  #account(userId: UserId): Account {
    const account = this.#accounts.get(userId);
    if (account === undefined) throw new Error(`the ledger has not loaded sender ${userId}`);
    const oldestMs = this.#now().getTime() - DAY_MS - SKEW_MS;
    for (const sentAt of [account.sentAt, this.#unknownSentAt])
      while (sentAt[0] !== undefined && sentAt[0] <= oldestMs) sentAt.shift();
    return account;
  }

  /** Places taken: sent within the last day, or possibly in flight. */
  usedBy(userId: UserId): number {
    return this.#knownUseOf(userId) + this.#unknownInDoubt;
  }

  #knownUseOf(userId: UserId): number {
    const { sentAt, open } = this.#account(userId);
    return sentAt.length + open.size + this.#unknownSentAt.length;
  }

  /** Whether the cap is used up only if this sender sent everything that has no known sender. */
  isUsedUpByDoubt({ userId, dailyCap }: SenderPolicy): boolean {
    return this.#knownUseOf(userId) < dailyCap && this.usedBy(userId) >= dailyCap;
  }

  /**
   * When to ask about the sender again: by then the executions without a known sender have been read. That may already
   * be done, if it happened while the sender was judged.
   */
  doubtEndsAt(sender: SenderPolicy): Date | undefined {
    const waitMs = Math.max(DOUBT_WAIT_MS.least, this.#unknownInDoubt * DOUBT_WAIT_MS.each);
    return this.#openings.opensAt(sender, new Date(this.#now().getTime() + waitMs));
  }

  /**
   * When the `place`-th further enrollment (0 is the next) could be sent: as earlier ones leave the 24 hours, within
   * the sender's window. Undefined: never. A place that is more caps away than the days searched for an opening is out
   * of every contact's reach, and is only reported as such.
   */
  placeFreeAt(sender: SenderPolicy, place: number, notBefore: Date): Date | undefined {
    const { dailyCap: cap } = sender;
    if (cap <= 0) return undefined;
    if (this.isUsedUpByDoubt(sender)) return this.doubtEndsAt(sender);
    const account = this.#account(sender.userId);
    const open = account.open.size + this.#unknownInDoubt;
    const sentAt =
      this.#unknownSentAt.length === 0
        ? account.sentAt
        : [...account.sentAt, ...this.#unknownSentAt].sort((one, other) => one - other);
    const nowMs = this.#now().getTime();
    const rounds = Math.min(Math.floor(place / cap), HORIZON_DAYS);
    // Places beyond the free ones come as the oldest leave; after a full cap, those who waited leave in turn.
    const leaving = sentAt.length + open - cap + (place % cap);
    const leftMs = leaving < 0 ? nowMs : (sentAt[leaving] ?? nowMs) + DAY_MS + SKEW_MS;
    let at = this.#openings.opensAt(
      sender,
      new Date(Math.max(leaving < 0 ? nowMs : leftMs, notBefore.getTime())),
    );
    for (let round = 0; round < rounds && at !== undefined; round += 1) {
      at = this.#openings.opensAt(sender, new Date(at.getTime() + DAY_MS + SKEW_MS));
    }
    return at;
  }

  /** Takes a place for the execution. The caller has checked that one is free. */
  reserve(executionId: ExecutionId, userId: UserId): void {
    this.release(executionId);
    this.#account(userId).open.add(executionId);
    this.#senderOf.set(executionId, userId);
  }

  /** Certainly nothing was sent for the execution: its place is free again. */
  release(executionId: ExecutionId): void {
    const userId = this.#senderOf.get(executionId);
    if (userId === undefined) return;
    this.#senderOf.delete(executionId);
    this.#accounts.get(userId)?.open.delete(executionId);
  }

  /** The execution was enrolled, by the sender HubSpot names. */
  confirm(executionId: ExecutionId, sender: UserId | undefined): void {
    const userId = sender ?? this.#senderOf.get(executionId);
    this.release(executionId);
    if (userId !== undefined) this.#accounts.get(userId)?.sentAt.push(this.#now().getTime());
  }

  /** Loads how many contacts wait for each sender: those an earlier turn postponed. A failed read is forgotten. */
  async loadWaiters(): Promise<void> {
    this.#waiters ??= this.#readWaiters().catch((error: unknown) => {
      this.#waiters = undefined;
      throw error;
    });
    await this.#waiters;
  }

  async #readWaiters(): Promise<void> {
    const { rows } = await this.#pool.query<{ user_id: string; count: number }>({
      name: "read-sender-waiters",
      text: `
        SELECT sender_user_id AS user_id, count(*)::int AS count FROM executions
         WHERE portal_id = $1 AND state = 'QUEUED' AND due_at > now() AND sender_user_id IS NOT NULL
         GROUP BY sender_user_id`,
      values: [this.#portalId],
    });
    this.#waiting = new Map(rows.map(({ user_id, count }) => [BigInt(user_id), count]));
  }

  waitersFor(userId: UserId): number {
    return this.#waiting.get(userId) ?? 0;
  }

  addWaiter(userId: UserId): void {
    this.#waiting.set(userId, this.waitersFor(userId) + 1);
  }
}
