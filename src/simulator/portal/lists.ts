/** A list of records, which HubSpot's pages call a segment. */
export interface SimulatedList {
  readonly listId: string;
  name: string;
  /** "0-1": contacts. */
  readonly objectTypeId: string;
  readonly createdAtMs: number;
  /** In the order in which the API lists them. */
  memberIds: string[];
}
