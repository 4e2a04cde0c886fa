/**
 * SQL of a contact's first and last name, as HubSpot sent them with the call of an execution; null: it sent none.
 *
 * @param of the relation of the execution; by default the only one of the statement.
 */
export function contactName(of?: string): string {
  const request = of === undefined ? "request" : `${of}.request`;
  return `nullif(btrim(concat_ws(' ', ${request} #>> '{properties,firstname}', ${request} #>> '{properties,lastname}')), '')`;
}
