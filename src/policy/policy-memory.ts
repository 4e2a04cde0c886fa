import { LRUCache } from "lru-cache";
import type { SenderPolicy } from "./sender-policy.js";
import { toSender, type SenderDefaults, type SenderRow } from "./sender-row.js";
import { StoredPreset, type PresetRow } from "./stored-preset.js";

/** A row with the stamp of its last change; `row` is null if the reader knows it with that stamp. */
export interface StampedRow<Row> {
  readonly id: string;
  readonly stamp: string;
  readonly row: Row | null;
}

export interface KeptRow {
  readonly stamp: string;
}

interface KeptSender extends KeptRow {
  readonly row: SenderRow;
  readonly sender: SenderPolicy;
}

/** The senders and presets of one portal as last read. */
export interface KnownPolicy {
  readonly defaults: SenderDefaults | undefined;
  readonly senders: ReadonlyMap<string, KeptSender>;
  readonly presets: ReadonlyMap<string, StoredPreset>;
}

/** What the next read of a portal need not bring again. */
export class PolicyMemory {
  known: KnownPolicy = { defaults: undefined, senders: new Map(), presets: new Map() };
}

/** What one process keeps between turns, in senders; a preset, with up to a thousand domains, weighs as much as a hundred. */
const LIMITS = { max: 500, maxSize: 100_000 };
const PRESET_WEIGHT = 100;

export function createPolicyMemories(): (portalId: bigint) => PolicyMemory {
  const memories = new LRUCache<bigint, PolicyMemory>({
    ...LIMITS,
    sizeCalculation: ({ known }) => 1 + known.senders.size + PRESET_WEIGHT * known.presets.size,
  });
  return (portalId) => {
    const memory = memories.get(portalId) ?? new PolicyMemory();
    // Weighed again: it has grown since the turn it was made for.
    memories.delete(portalId);
    memories.set(portalId, memory);
    return memory;
  };
}

/** What is known after a read that was told of `known`: the rows that changed, and no more than there are. */
export function bringUpToDate(
  known: KnownPolicy,
  read: { senders: readonly StampedRow<SenderRow>[]; presets: readonly StampedRow<PresetRow>[] },
  defaults: SenderDefaults,
): KnownPolicy {
  const areSame =
    defaults.isAllowed === known.defaults?.isAllowed && defaults.timeZone === known.defaults.timeZone;
  const senders = read.senders.map(({ id, stamp, row }): [string, KeptSender] => {
    const kept = known.senders.get(id);
    if (row === null && kept !== undefined && areSame) return [id, kept];
    const fresh = row ?? kept?.row;
    if (fresh === undefined) throw new Error(`sender ${id} was not sent, and is not known`);
    return [id, { stamp, row: fresh, sender: toSender(fresh, defaults) }];
  });
  const presets = read.presets.map(({ id, stamp, row }): [string, StoredPreset] => {
    const preset = row === null ? known.presets.get(id) : new StoredPreset(row, stamp);
    if (preset === undefined) throw new Error(`preset ${id} was not sent, and is not known`);
    return [id, preset];
  });
  return { defaults, senders: new Map(senders), presets: new Map(presets) };
}
