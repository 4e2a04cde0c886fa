import type { Pool, PoolClient } from "pg";
import { isLockTimeout } from "#platform/db/lock-timeout.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { slicesOf, type ContactChange } from "./contact-change.js";
import { findSurvivors, settleFates, type ContactFate } from "./contact-fates.js";
import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { ERASE, FORGET_MERGED, LOOK_AT_ENROLLMENTS_SOON, LOOK_NOW, MERGE } from "./contact-statements.js";
import { forgetCellsOf, forgetImportRows, moveImportRows } from "./forget-import-rows.js";
import { nameByAddress } from "./known-addresses.js";
import { forgetSearches, type ErasedWords } from "./forget-searches.js";

type ChangeOf<Kind extends ContactChange["kind"]> = Extract<ContactChange, { kind: Kind }>;

function pairs(changes: readonly { portalId: PortalId; contactId: string }[]): [PortalId[], string[]] {
  return [changes.map(({ portalId }) => portalId), changes.map(({ contactId }) => contactId)];
}

function ofKind<Kind extends ContactChange["kind"]>(
  changes: readonly ContactChange[],
  kind: Kind,
): ChangeOf<Kind>[] {
  return changes.filter((change): change is ChangeOf<Kind> => change.kind === kind);
}

function fatesOf(changes: readonly ContactChange[]): ContactFate[] {
  return changes.flatMap((change): ContactFate[] => {
    if (change.kind === "touched") return [];
    if (change.kind === "erased")
      return [{ portalId: change.portalId, contactId: change.contactId, becameId: null }];
    const { portalId, contactIds, into } = change;
    return contactIds.map((contactId) => ({ portalId, contactId, becameId: into }));
  });
}

interface ErasedRow {
  portal_id: string;
  contact_email: string | null;
  contact_name: string | null;
}

/** The ids, addresses and names of erased contacts, by portal. */
function wordsOf(
  erased: readonly ContactFate[],
  { rows, addresses }: { rows: readonly ErasedRow[]; addresses: ReadonlyMap<PortalId, readonly string[]> },
): ErasedWords[] {
  const words = new Map<PortalId, Set<string>>();
  for (const { portalId, contactId } of erased)
    words.set(portalId, (words.get(portalId) ?? new Set()).add(contactId));
  for (const [portalId, known] of addresses) for (const address of known) words.get(portalId)?.add(address);
  for (const { portal_id, ...known } of rows)
    for (const word of [known.contact_email, known.contact_name])
      if (word !== null) words.get(BigInt(portal_id))?.add(word);
  return [...words].map(([portalId, named]) => ({ portalId, words: [...named] }));
}

async function apply(client: PoolClient, changes: readonly ContactChange[]): Promise<Set<PortalId>> {
  const portals = new Set<PortalId>();
  async function run<Row extends { portal_id: string }>(
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const { rows } = await client.query<Row>(text, [...values]);
    rows.forEach(({ portal_id }) => portals.add(BigInt(portal_id)));
    return rows;
  }
  const survivors = await findSurvivors(client, ofKind(changes, "erased"));
  const fates = await settleFates(client, fatesOf(changes));
  const merged = fates.filter(({ becameId }) => becameId !== null);
  if (merged.length > 0) {
    await run(MERGE, [...pairs(merged), merged.map(({ becameId }) => becameId)]);
    await moveImportRows(client, merged);
  }
  const erased = fates.filter(({ becameId }) => becameId === null);
  if (erased.length > 0) {
    const addresses = await nameByAddress(client, erased);
    const rows = await run<ErasedRow>(ERASE, [...pairs(erased), JSON.stringify(ERROR_SENTENCES)]);
    if (survivors.length > 0) {
      rows.push(
        ...(await run<ErasedRow>(FORGET_MERGED, [...pairs(survivors), JSON.stringify(ERROR_SENTENCES)])),
      );
      await forgetCellsOf(client, survivors);
    }
    const words = wordsOf(erased, { rows, addresses });
    await forgetSearches(client, words);
    await forgetImportRows(client, words);
  }
  const touched = ofKind(changes, "touched");
  if (touched.length > 0) {
    await run(LOOK_NOW, pairs(touched));
    await client.query(LOOK_AT_ENROLLMENTS_SOON, pairs(touched));
  }
  return portals;
}

/**
 * The result of applying changes: the portals that have new work and, by portal, the fault if someone else holds a row.
 */
interface Applied {
  readonly concerned: Set<PortalId>;
  readonly held: Map<PortalId, Error>;
}

/**
 * Applies the changes to our executions, in transactions of at most a hundred of them. Repeating the same changes does
 * nothing more, and their order does not matter. Portals that are not connected are left alone, except for erasures. If
 * someone holds a row of one portal, HubSpot repeats the delivery; no other portal waits for it.
 *
 * @returns the portals that have new work.
 */
export async function applyContactChanges(
  pool: Pool,
  changes: readonly ContactChange[],
): Promise<Set<PortalId>> {
  const applied: Applied = { concerned: new Set(), held: new Map() };
  for (const slice of slicesOf(changes)) {
    const free = slice.filter(({ portalId }) => !applied.held.has(portalId));
    if (free.length > 0) await applySlice(pool, free, applied);
  }
  const [fault] = applied.held.values();
  if (fault !== undefined) throw fault;
  return applied.concerned;
}

async function applySlice(pool: Pool, slice: readonly ContactChange[], applied: Applied): Promise<void> {
  try {
    const concerned = await inTransaction(pool, (client) => apply(client, slice));
    for (const portalId of concerned) applied.concerned.add(portalId);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    const portals = [...new Set(slice.map(({ portalId }) => portalId))];
    const [portalId] = portals;
    if (portals.length === 1 && portalId !== undefined) return void applied.held.set(portalId, error);
    const ofPortal = (id: PortalId) => slice.filter(({ portalId }) => portalId === id);
    const ends = await Promise.allSettled(portals.map((id) => applySlice(pool, ofPortal(id), applied)));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
