import type { Pool } from "pg";
import { undecidedRows } from "#domain/contract/undecided.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * Rest after a check, for each row it read; reading a row takes about a microsecond, so checks take a fraction of a
 * percent of the time.
 */
const REST_MS_PER_ROW = 0.5;
const LONGEST_REST_MS = 60_000;

interface LookRow {
  portal_id: string;
  row_count: number;
  is_overdue: boolean;
}

/**
 * Looks for rows past their time in portals that cannot be called or are paused. No index finds them (accepting and
 * attempting would pay for it), so a check reads all open rows. Deadlines are days away: a portal with a large backlog
 * is checked once a minute, a small one on every request. A process has one of it: the clock and the turns of the portals
 * share what it found.
 */
export class OverdueLooks {
  readonly #pool: Pool;
  /** Instants of `performance.now` before which a portal is not checked again. */
  readonly #restsUntil = new Map<PortalId, number>();
  /** Found, and not worked on yet: a turn that was woken for it does not have to look again. */
  readonly #found = new Set<PortalId>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The portals in which something is past its time. Portals that rest count as having nothing. */
  async among(portalIds: readonly PortalId[]): Promise<PortalId[]> {
    const now = performance.now();
    for (const [portalId, until] of this.#restsUntil) if (until <= now) this.#restsUntil.delete(portalId);
    const looked = portalIds.filter((portalId) => !this.#restsUntil.has(portalId));
    if (looked.length === 0) return [];
    const { rows } = await this.#pool.query<LookRow>({
      name: "look-for-overdue",
      text: LOOK,
      values: [looked],
    });
    for (const { portal_id, row_count } of rows) {
      const restMs = Math.min(LONGEST_REST_MS, row_count * REST_MS_PER_ROW);
      this.#restsUntil.set(BigInt(portal_id), now + restMs);
    }
    const overdue = rows.filter(({ is_overdue }) => is_overdue).map(({ portal_id }) => BigInt(portal_id));
    for (const portalId of overdue) this.#found.add(portalId);
    return overdue;
  }

  /** For a turn of the portal: whether something in it is past its time, by a check of now or one whose finding is still open. */
  async isOverdue(portalId: PortalId): Promise<boolean> {
    if (!this.#found.has(portalId)) await this.among([portalId]);
    return this.#found.delete(portalId);
  }
}

const LOOK = `
  SELECT asked.portal_id, open.* FROM unnest($1::bigint[]) AS asked (portal_id), LATERAL (
    SELECT count(*)::int AS row_count, coalesce(bool_or(ends_at <= now()), false) AS is_overdue FROM (
      ${undecidedRows({ columns: "e.deadline_at AS ends_at", portalId: "asked.portal_id", limit: "ALL" })}
      UNION ALL (SELECT e.deadline_at FROM executions e
                  WHERE e.portal_id = asked.portal_id AND e.state = 'WATCHING' ORDER BY e.due_at, e.id)
      UNION ALL (SELECT e.hold_ends_at FROM executions e
                  WHERE e.portal_id = asked.portal_id AND e.state = 'DECIDED' ORDER BY e.due_at, e.id)
    ) AS held
  ) AS open`;
