/**
 * SQL: HubSpot's answer to the execution's last request was lost, and its effect is not known yet. A retry of
 * executions that were never in doubt is UNCERTAIN without being in doubt: it is read just once.
 *
 * @param row prefix of the columns, for example "e."
 */
export const IS_IN_DOUBT = (row = ""): string =>
  `(${row}state = 'UNCERTAIN' AND ${row}kind = 'ENROLL' AND ${row}doubted_at IS DISTINCT FROM 'epoch')`;

/** What an admin reads about an execution that ended in doubt. */
export const LOST_ANSWER =
  "HubSpot's answer to the last attempt was lost, so the contact may still have been enrolled: look at it in HubSpot.";
