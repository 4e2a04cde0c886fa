/**
 * A recursive CTE `sender` with one row for each user in whose name the account `$1` ever enrolled a contact. It walks
 * from sender to sender in the index `executions_sent`: it costs senders, not the history. Its last row is null.
 */
export const SENDERS_WHO_SENT = `
  sender AS (
    SELECT min(sender_user_id) AS user_id FROM executions
     WHERE portal_id = $1 AND enrollment_status = 'ENROLLED'
    UNION ALL
    SELECT (SELECT min(e.sender_user_id) FROM executions e
             WHERE e.portal_id = $1 AND e.enrollment_status = 'ENROLLED' AND e.sender_user_id > sender.user_id)
      FROM sender WHERE sender.user_id IS NOT NULL
  )`;
