/**
 * How long HubSpot holds a contact for us, in hours: what our BLOCK answer asks for, an hour less for the last
 * completion to arrive. After that the contact moves on without outputs (dossier §3.5).
 */
export const HOLD_HOURS = 7 * 24 - 1;

/** The same as asked for in the answer, an ISO-8601 duration. */
export const HOLD_DURATION = "P7D";
