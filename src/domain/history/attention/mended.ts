import { DEFAULT_DAILY_CAP } from "#domain/contract/sender-policy.js";

/**
 * SQL: whether what kept a contact from being enrolled is gone, as far as is known here: of the senders, and of the account. Needs
 * the joins of `heldAgainst`.
 *
 * @param cause a relation with the columns `code` and `sender_user_id`, one row a cause
 */
export function isMended(cause: string): string {
  return `CASE ${cause}.code
           WHEN 'PORTAL_PAUSED' THEN settings.paused_at IS NULL
           WHEN 'NOT_CONNECTED' THEN true
           WHEN 'INBOX_NOT_CONNECTED' THEN ${cause}.sender_user_id IS NOT NULL AND sender.refused_code IS NULL
           WHEN 'SENDER_NOT_PERMITTED' THEN ${cause}.sender_user_id IS NOT NULL AND sender.refused_code IS NULL
           WHEN 'SENDER_NOT_ALLOWED' THEN ${cause}.sender_user_id IS NOT NULL
             AND coalesce(sender.is_allowed, NOT coalesce(settings.only_listed_senders, false))
           WHEN 'SENDER_LIMIT_REACHED' THEN ${cause}.sender_user_id IS NOT NULL
             AND coalesce(sender.limited_until, '-infinity') <= now() AND day.sent < coalesce(sender.daily_cap, ${DEFAULT_DAILY_CAP})
           ELSE false END`;
}

/** SQL: what holds now for the senders of the causes, and for their account, whose id is `$1`. */
export function heldAgainst(cause: string): string {
  return `LEFT JOIN portal_settings settings ON settings.portal_id = $1
    LEFT JOIN senders sender ON sender.portal_id = $1 AND sender.user_id = ${cause}.sender_user_id
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS sent FROM executions e
       WHERE e.portal_id = $1 AND e.sender_user_id = ${cause}.sender_user_id AND e.enrollment_status = 'ENROLLED'
         AND e.enrolled_at > now() - interval '24 hours' AND ${cause}.code = 'SENDER_LIMIT_REACHED'
    ) AS day ON true`;
}
