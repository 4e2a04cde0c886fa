import type { Pool } from "pg";
import { undecidedRows } from "#domain/contract/undecided.js";

/** Rests this long for each row a look has read, which takes about a microsecond: looking is a fraction of a percent. */
const REST_MS_PER_ROW = 0.5;
const LONGEST_REST_MS = 60_000;

interface LookRow {
  portal_id: string;
  row_count: number;
  is_overdue: boolean;
}

/**
 * Looks for what is past its time in portals that cannot be called or are paused. Nothing finds that by index (accepting
 * and attempting would pay for it), so a look reads all that is open. Deadlines are days away: a portal with a large
 * backlog is looked at once a minute, a small one whenever asked for.
 */
export class OverdueLooks {
  readonly #pool: Pool;
  /** Instants of `performance.now` before which a portal is not looked at again. */
  readonly #restsUntil = new Map<bigint, number>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Those of the portals where something was found past its time. Any that rest count as having none. */
  async among(portalIds: readonly bigint[]): Promise<bigint[]> {
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
    return rows.filter(({ is_overdue }) => is_overdue).map(({ portal_id }) => BigInt(portal_id));
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
