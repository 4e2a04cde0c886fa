/**
 * SQL: HubSpot's answer to the execution's last request was lost, and nothing was found out about it yet. A retry whose
 * family never was in doubt is UNCERTAIN without it: it is only read once.
 *
 * @param row prefix of the columns, for example "e."
 */
export const IS_IN_DOUBT = (row = ""): string =>
  `(${row}state = 'UNCERTAIN' AND ${row}kind = 'ENROLL' AND ${row}doubted_at IS DISTINCT FROM 'epoch')`;

/** What an admin is told of an execution that ended in doubt. */
export const LOST_ANSWER =
  "HubSpot's answer to the last attempt was lost, so the contact may be enrolled all the same: look at it in HubSpot.";
