/** What becomes of one enroll request. A `late` one is written after its sender has given up waiting. */
export type EnrollAnswer =
  | ("ok" | "throttled" | "notSent" | "lostBefore" | "lostAfter" | "late")
  | ("crashBefore" | "crashAfter" | "faultBefore" | "faultAfter");
export type ReadAnswer = "ok" | "unavailable" | "throttled" | "forbidden" | "crashBefore" | "faultBefore";
/** A status: refused for what the request is, not for whom it names. */
export type CompleteAnswer =
  "ok" | "throttled" | "lostBefore" | "lostAfter" | "crashBefore" | "crashAfter" | 413 | 422;

/** What becomes of our BLOCK: read at once, never, or within the minute that it may take HubSpot. */
export type BlockAnswer = "read" | "lost" | "late";

export interface AttemptAnswers {
  readonly enroll: EnrollAnswer;
  readonly read: ReadAnswer;
}

export interface CompleteAnswers {
  readonly batch: CompleteAnswer;
  readonly single: CompleteAnswer;
}
