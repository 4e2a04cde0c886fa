import type { ClientBase } from "pg";

/** What a caller outside names may be in our copy of the account's directory. */
export type FoundSequence =
  | { readonly kind: "found"; readonly id: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "ambiguous"; readonly ids: readonly string[] };

/** Finds a listed sequence by its id, or by its exact name. */
export async function findSequence(
  client: Pick<ClientBase, "query">,
  portalId: bigint,
  by: { readonly id: string } | { readonly name: string },
): Promise<FoundSequence> {
  const { rows } = await client.query<{ sequence_id: string }>({
    name: "id" in by ? "find-sequence-by-id" : "find-sequence-by-name",
    text: `SELECT sequence_id FROM sequences
            WHERE portal_id = $1 AND is_listed AND ${"id" in by ? "sequence_id" : "name"} = $2 ORDER BY sequence_id LIMIT 10`,
    values: [portalId, "id" in by ? by.id : by.name],
  });
  const [first, ...others] = rows.map(({ sequence_id }) => sequence_id);
  if (first === undefined) return { kind: "unknown" };
  return others.length === 0 ? { kind: "found", id: first } : { kind: "ambiguous", ids: [first, ...others] };
}
