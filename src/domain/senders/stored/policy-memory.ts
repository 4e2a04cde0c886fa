import { LRUCache } from "lru-cache";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { toSender, type SenderDefaults, type SenderRow } from "./sender-row.js";
import { KnownPreset, type PresetRow } from "./stored-preset.js";

/** A row with the stamp of its last change. */
export interface StampedRow<Row> {
  readonly id: string;
  readonly stamp: string;
  readonly row: Row;
}

/** What a read that knew the earlier rows returns: changed rows, and the ids of those gone. */
export interface Changes<Row> {
  readonly changed: readonly StampedRow<Row>[];
  readonly gone: readonly string[];
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
  readonly senderOf: ReadonlyMap<UserId, SenderPolicy>;
  readonly presets: ReadonlyMap<string, KnownPreset>;
}

/** What the next read of a portal can leave out. */
export class PolicyMemory {
  known: KnownPolicy = { defaults: undefined, senders: new Map(), senderOf: new Map(), presets: new Map() };
  /** Rotations needed last time: the first read of the next turn includes them. */
  lastRotations: readonly string[] = [];
}

/**
 * What one process keeps between turns, counted in senders; a preset, with up to a thousand domains, counts as a
 * hundred.
 */
const LIMITS = { max: 500, maxSize: 100_000 };
const PRESET_WEIGHT = 100;

export function createPolicyMemories(): (portalId: PortalId) => PolicyMemory {
  const memories = new LRUCache<PortalId, PolicyMemory>({
    ...LIMITS,
    sizeCalculation: ({ known }) => 1 + known.senders.size + PRESET_WEIGHT * known.presets.size,
  });
  return (portalId) => {
    const memory = memories.get(portalId) ?? new PolicyMemory();
    // Measured again: it has grown since the turn it was made for.
    memories.delete(portalId);
    memories.set(portalId, memory);
    return memory;
  };
}

/** What is known after a read: the very same map if nothing changed, which saves a large account the copying. */
export function withChanges<Row, Kept extends KeptRow>(
  known: ReadonlyMap<string, Kept>,
  { changed, gone }: Changes<Row>,
  keep: (read: StampedRow<Row>) => Kept,
): ReadonlyMap<string, Kept> {
  if (changed.length === 0 && gone.length === 0) return known;
  const kept = new Map(known);
  for (const id of gone) kept.delete(id);
  for (const read of changed) kept.set(read.id, keep(read));
  return kept;
}

/** What is known after a read that was given `known`. */
export function bringUpToDate(
  known: KnownPolicy,
  read: { senders: Changes<SenderRow>; presets: Changes<PresetRow> },
  defaults: SenderDefaults,
): KnownPolicy {
  const presets = withChanges(known.presets, read.presets, ({ row, stamp }) => new KnownPreset(row, stamp));
  return { defaults, presets, ...sendersUpToDate(known, read.senders, defaults) };
}

function sendersUpToDate(
  known: KnownPolicy,
  changes: Changes<SenderRow>,
  defaults: SenderDefaults,
): Pick<KnownPolicy, "senders" | "senderOf"> {
  const areSame =
    defaults.isAllowed === known.defaults?.isAllowed && defaults.timeZone === known.defaults.timeZone;
  const judge = ({ row, stamp }: Omit<StampedRow<SenderRow>, "id">): KeptSender => ({
    row,
    stamp,
    sender: toSender(row, defaults),
  });
  const before = areSame
    ? known.senders
    : new Map([...known.senders].map(([id, kept]) => [id, judge(kept)] as const));
  const senders = withChanges(before, changes, judge);
  if (senders === known.senders) return { senders, senderOf: known.senderOf };
  const senderOf = new Map([...senders.values()].map(({ sender }) => [sender.userId, sender] as const));
  return { senders, senderOf };
}
