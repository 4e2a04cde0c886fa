import { LRUCache } from "lru-cache";
import type { Pool } from "pg";
import { EXECUTION_KINDS, type ActionDefinition, type ExecutionKind } from "#domain/contract/execution.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { HOUR_MS } from "#platform/time/units.js";

/** An action is new if its number was not known in any version. */
const NOTE = `
  WITH known AS (SELECT EXISTS (SELECT FROM action_types WHERE definition_id = $1 AND kind = $3) AS is_known)
  INSERT INTO action_types (definition_id, version, kind) VALUES ($1, $2, $3)
  ON CONFLICT (definition_id, version, kind) DO UPDATE
    SET last_seen_at = greatest(action_types.last_seen_at, excluded.last_seen_at)
  RETURNING NOT (SELECT is_known FROM known) AS is_new`;

export interface ActionTypeNotesOptions {
  readonly pool: Pool;
  readonly onNew: (portalId: PortalId) => void;
  readonly onFault: (fault: unknown) => void;
}

/** How exact "last seen" is. */
const SEEN_AGAIN_MS = 6 * HOUR_MS;
/** More than HubSpot can have: four actions, and a version for each time the app is published. */
const MOST_REMEMBERED = 1_000;

/**
 * Learns HubSpot's numbers of our actions from the calls it makes: a workflow names its steps by them, and HubSpot
 * gives them out when the app is published. A call costs a look into memory; only what is new is written, and an old
 * sighting renewed. Several processes may write the same: the earliest first sight and the latest last one stay.
 */
export class ActionTypeNotes {
  readonly #pool: Pool;
  readonly #onNew: (portalId: PortalId) => void;
  readonly #onFault: (fault: unknown) => void;
  readonly #written = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: SEEN_AGAIN_MS });

  /** @param options.onNew called with the portal whose call taught us an action: its workflows can be read with it now. */
  constructor({ pool, onNew, onFault }: ActionTypeNotesOptions) {
    this.#pool = pool;
    this.#onNew = onNew;
    this.#onFault = onFault;
  }

  /** Call it for each call that HubSpot signed. Returns at once and never fails. */
  heard(portalId: PortalId, kind: ExecutionKind, { id, version }: ActionDefinition): void {
    const key = `${kind} ${id} ${version}`;
    if (this.#written.has(key)) return;
    // Before the write: a thousand calls that come meanwhile must not each write it.
    this.#written.set(key, true);
    this.#pool
      .query<{ is_new: boolean }>({ name: "note-action-type", text: NOTE, values: [id, version, kind] })
      .then(({ rows }) => {
        if (rows[0]?.is_new === true) this.#onNew(portalId);
      })
      .catch((fault: unknown) => {
        this.#written.delete(key);
        this.#onFault(fault);
      });
  }
}

/** Which of our actions a step's `actionTypeId` stands for. */
export interface ActionTypes {
  /** By the `actionTypeId` of a flow's step. */
  readonly kinds: ReadonlyMap<string, ExecutionKind>;
  /** Equal for equal knowledge: what was read with less has to be read again. */
  readonly fingerprint: string;
}

/** All that have ever called, in whatever version: old workflows keep old versions. */
export async function readActionTypes(pool: Pool): Promise<ActionTypes> {
  const { rows } = await pool.query<{ definition_id: string; kind: string }>({
    name: "read-action-types",
    // A number stands for the action that used it last.
    text: `SELECT DISTINCT ON (definition_id) definition_id, kind FROM action_types
            ORDER BY definition_id, last_seen_at DESC, version DESC`,
  });
  const kinds = new Map<string, ExecutionKind>();
  for (const { definition_id: id, kind } of rows) if (isExecutionKind(kind)) kinds.set(`1-${id}`, kind);
  return { kinds, fingerprint: [...kinds].map(([type, kind]) => `${type}:${kind}`).join(",") };
}

function isExecutionKind(kind: string): kind is ExecutionKind {
  return (EXECUTION_KINDS as readonly string[]).includes(kind);
}
