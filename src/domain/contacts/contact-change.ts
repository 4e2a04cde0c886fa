import type { PortalId } from "#platform/ids/branded-ids.js";

/** An event that HubSpot reported about a contact. */
export type ContactChange =
  /**
   * It entered or left a sequence, or it may be gone. Events come in any order, and a merge deletes too, so HubSpot is
   * asked what is true.
   */
  | { readonly kind: "touched"; readonly portalId: PortalId; readonly contactId: string }
  /** Deleted for privacy: final, and nothing about it may be kept. */
  | { readonly kind: "erased"; readonly portalId: PortalId; readonly contactId: string }
  /** The contacts were merged into another one. */
  | {
      readonly kind: "merged";
      readonly portalId: PortalId;
      readonly contactIds: readonly string[];
      readonly into: string;
    };

/** As many as HubSpot puts into one delivery: what one transaction takes on. */
const SLICE_SIZE = 100;

/** What a merge of many contacts says, a hundred of them at a time. */
function inParts(change: ContactChange): ContactChange[] {
  if (change.kind !== "merged" || change.contactIds.length <= SLICE_SIZE) return [change];
  return chunksOf(change.contactIds).map((contactIds) => ({ ...change, contactIds }));
}

function chunksOf<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / SLICE_SIZE);
  return Array.from({ length: count }, (_, at) => items.slice(at * SLICE_SIZE, (at + 1) * SLICE_SIZE));
}

/** The same changes without repetitions, in slices that each cost about as much as HubSpot's largest delivery. */
export function slicesOf(changes: readonly ContactChange[]): ContactChange[][] {
  const told = new Map<string, ContactChange>();
  for (const change of changes) {
    const whom = change.kind === "merged" ? `${change.contactIds.join()}>${change.into}` : change.contactId;
    told.set(`${change.kind}:${change.portalId}:${whom}`, change);
  }
  const slices: ContactChange[][] = [];
  let weight = Number.POSITIVE_INFINITY;
  for (const part of [...told.values()].flatMap(inParts)) {
    const added = part.kind === "merged" ? part.contactIds.length : 1;
    weight += added;
    if (weight > SLICE_SIZE) [weight] = [added, slices.push([])];
    slices.at(-1)?.push(part);
  }
  return slices;
}
