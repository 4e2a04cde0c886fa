import type { SetupProblem, UnenrollSetup } from "./setup.js";

/** What an admin reads about a helper workflow that cannot be used, with what to do about it. */
export const PROBLEM_SENTENCES: Readonly<Record<SetupProblem, string>> = {
  DISABLED: "Somebody turned the helper workflow off in HubSpot. Turn it on there, or make a new one.",
  CHANGED:
    "Somebody changed the helper workflow in HubSpot. The app does not use it anymore and leaves it as it is. Make a new one.",
  DELETED: "Somebody deleted the helper workflow in HubSpot. Make a new one, or switch unenrolling off.",
  NO_PERMISSION:
    "HubSpot does not let the app write to contacts. Give it the two permissions that unenrolling needs.",
  NO_PROPERTY: "Somebody deleted the contact property that starts the helper workflow. Make a new one.",
};

/** Why no contact can be taken out of its sequence now, and where that is mended; undefined: it can. */
export function whyUnusable(setup: UnenrollSetup | undefined): string | undefined {
  const where = "under Settings → Unenroll";
  if (setup === undefined || setup.state === "REMOVING")
    return `Unenrolling is not switched on in this account. An admin can switch it on ${where}.`;
  if (setup.problem !== undefined)
    return `Unenrolling does not work in this account now. ${PROBLEM_SENTENCES[setup.problem]} An admin can do that ${where}.`;
  if (setup.state === "MAKING")
    return `Unenrolling is being set up in this account. Try again in a minute, or look ${where}.`;
  return undefined;
}
