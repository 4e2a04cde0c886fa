/** How an enrollment ended. `UNENROLLED`: left early for a reason other than a reply. */
export const END_OUTCOMES = ["FINISHED", "REPLIED", "UNENROLLED"] as const;
export type EndOutcome = (typeof END_OUTCOMES)[number];

/** The known end of an enrollment; `at` by HubSpot's clock. */
export interface EnrollmentEnd {
  readonly at: Date;
  readonly outcome: EndOutcome;
}
