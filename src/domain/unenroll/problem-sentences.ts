import type { SetupProblem } from "./setup.js";

/** What an admin reads about a helper workflow that cannot be used, with what to do about it. */
export const PROBLEM_SENTENCES: Readonly<Record<SetupProblem, string>> = {
  DISABLED: "Somebody turned the helper workflow off in HubSpot. Turn it on there, or make a new one.",
  CHANGED:
    "Somebody changed the helper workflow in HubSpot. The app does not use it any more and leaves it as it is. Make a new one.",
  DELETED: "Somebody deleted the helper workflow in HubSpot. Make a new one, or switch unenrolling off.",
  NO_PERMISSION:
    "HubSpot does not let the app write to contacts. Give it the two permissions that unenrolling needs.",
  NO_PROPERTY: "Somebody deleted the contact property that starts the helper workflow. Make a new one.",
};
