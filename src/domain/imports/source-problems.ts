/** Why an import's source could not be read to its end, as a sentence for whoever requested it. */
export const SOURCE_PROBLEMS = {
  MISSING_SCOPES:
    "HubSpot does not let the app read segments: the permission crm.lists.read is missing. Give it on Settings → Imports.",
  SEGMENT_NOT_FOUND: "HubSpot has no segment with this id.",
  SEGMENT_OF_OTHER_RECORDS: "This segment holds no contacts, but other records.",
  CLOSE_KEY_REFUSED: "Close does not accept the key, or it may not read sequences. Make a new one in Close.",
  CLOSE_REFUSED: "Close refused to list its sequences.",
  CLOSE_UNAVAILABLE: "Close has not answered for a day. Begin again with the key.",
  CLOSE_TOO_LARGE:
    "The organization in Close has more than 500 sequences, which is more than can be chosen from.",
  TOO_MANY_ROWS: "There are more rows than an import takes. Make it smaller, and import its parts.",
} as const;

export type SourceProblem = keyof typeof SOURCE_PROBLEMS;
