/**
 * SQL for a portal's executions that still have to be attempted or read, at most `limit` of each state, from the
 * partial indexes of open work. The ORDER BY fits only these indexes: going by its statistics, the planner might
 * otherwise read the portal's whole history.
 *
 * @param rows `columns` of `executions e`; `portalId` and `limit` are SQL, too.
 */
export function undecidedRows({
  columns,
  portalId,
  limit,
}: Record<"columns" | "portalId" | "limit", string>): string {
  const select = `SELECT ${columns} FROM executions e WHERE e.portal_id = ${portalId}`;
  return `
    (${select} AND e.state = 'QUEUED' ORDER BY e.due_at, e.id LIMIT ${limit})
    UNION ALL (${select} AND e.state = 'UNCERTAIN' ORDER BY e.due_at, e.id LIMIT ${limit})
    UNION ALL (${select} AND e.state = 'ATTEMPTING' AND e.epoch IS NOT NULL ORDER BY e.epoch LIMIT ${limit})`;
}
