import type { SetupProblem, UnenrollSetup } from "./setup.js";

/** What an admin reads about a helper workflow that cannot be used, with what to do about it. */
export const PROBLEM_SENTENCES: Readonly<Record<SetupProblem, string>> = {
  DISABLED: "Someone turned off the helper workflow in HubSpot. Turn it on there, or create a new one.",
  CHANGED:
    "Someone changed the helper workflow in HubSpot, so we no longer use it and leave it as it is. Create a new one.",
  DELETED: "Someone deleted the helper workflow in HubSpot. Create a new one, or turn unenrolling off.",
  NO_PERMISSION:
    "HubSpot doesn't let us write to contacts. Grant the two permissions that unenrolling needs.",
  NO_PROPERTY: "Someone deleted the contact property that starts the helper workflow. Create a new one.",
};

/** Why no contact can be taken out of its sequence now, and where that is fixed; undefined: it can. */
export function whyUnusable(setup: UnenrollSetup | undefined): string | undefined {
  const where = "under Settings → Unenroll";
  if (setup === undefined || setup.state === "REMOVING")
    return `Unenrolling isn't turned on in this account. An admin can turn it on ${where}.`;
  if (setup.problem !== undefined)
    return `Unenrolling isn't working in this account. ${PROBLEM_SENTENCES[setup.problem]} An admin can do that ${where}.`;
  if (setup.state === "MAKING")
    return `Unenrolling is being set up in this account. Try again in a minute, or look ${where}.`;
  return undefined;
}
