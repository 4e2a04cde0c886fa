import type { IfAlreadyEnrolled } from "#domain/contract/actions/enroll-contract.js";
import type { FlowProblem } from "#domain/flows/flow-state.js";
import type { StepField } from "#domain/flows/flow-steps.js";
import type { FlowSwitch } from "#domain/flows/list-flows.js";
import { varies, type ListedStep, type NamedThing, type StepWarning } from "#domain/flows/listed-step.js";
import { unnamed } from "#domain/directory/people.js";
import { shorten } from "#platform/text/shorten.js";
import { fallbackInWords } from "../words/fallback-words.js";
import { LONGEST_LABEL } from "../words/names.js";

/** What the page calls each state of a workflow, and the look of its badge. */
export const STATES: Readonly<Record<FlowSwitch, { label: string; tone: string }>> = {
  on: { label: "On", tone: "enrolled" },
  off: { label: "Off", tone: "skipped" },
  deleted: { label: "Deleted", tone: "failed" },
};

/** What is wrong with a step, and what to do about it. */
export const WARNINGS: Readonly<Record<StepWarning, string>> = {
  SEQUENCE_GONE:
    "This sequence was deleted, or none of the users we read sequences as can see it. If it was deleted, choose another one in the action.",
  SENDER_GONE: "This user isn't active in this account. Choose another sender in the action.",
  PRESET_GONE: "This preset was deleted. Contacts that reach the action fail until you choose another one.",
  PRESET_SENDER_GONE:
    "The preset's sender isn't active in this account. Choose another sender in the preset.",
  CANNOT_UNENROLL:
    "Contacts stay in their sequence and continue with the outcome NOT_SUPPORTED, because unenrolling is off or isn't working. See Settings → Unenroll.",
  CANNOT_REPLACE:
    "Contacts already in a sequence stay in it and are marked as failed: replacing needs unenrolling, which is off or isn't working. See Settings → Unenroll.",
  ROTATION_GONE: "This rotation was deleted. Choose another sender in the action.",
};

/** Why the list is not whole, and what to do about it. HubSpot's own words come after it. */
export const PROBLEMS: Readonly<Record<FlowProblem, string>> = {
  SCOPE_MISSING:
    "HubSpot didn't let us read your workflows because the “automation” permission wasn't granted. A super admin can grant it by reconnecting.",
  REFUSED: "HubSpot rejected our request for your workflows. We'll try again within an hour.",
  UNAVAILABLE: "HubSpot didn't respond when we read your workflows. We'll keep trying.",
  CUT: "We couldn't read all of your workflows, so some may be missing here, and deleted ones aren't marked.",
  UNREADABLE: "HubSpot's list of your workflows has a format we don't recognize, so we couldn't read it.",
};

const ALREADY: Readonly<Record<IfAlreadyEnrolled, string>> = {
  skip: "keep there and continue",
  fail: "mark as failed and continue",
  wait: "wait, then enroll",
  replace: "take out of that sequence, then enroll",
};

const EACH_ITS_OWN = "from each contact's own data";

/** What a step says, as names and values to show side by side. */
export function factsOf(step: ListedStep): [name: string, value: string][] {
  const { kind } = step;
  if (kind === "NATIVE_UNENROLL") return [];
  const sequence = chosen(step, "sequenceId", step.sequence);
  const facts: [string, string | null][] = [
    ["Sequence", sequence ?? (kind === "CHECK_ENROLLMENT" ? null : "Any")],
  ];
  if (kind === "NATIVE_ENROLL")
    facts.push(["Sender", chosen(step, "senderUserId", step.sender) ?? "As set in HubSpot"]);
  if (kind === "ENROLL")
    facts.push(
      ["Sender", senderOf(step)],
      ["Preset", chosen(step, "presetId", step.preset) ?? "Default preset"],
      ["Fallback", fallbackFact(step)],
      ["Already in a sequence", alreadyOf(step)],
    );
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

function senderOf(step: ListedStep): string {
  if (varies(step, "senderMode")) return EACH_ITS_OWN;
  switch (step.senderMode) {
    case "contact_owner":
      return "Contact owner";
    case "specific_user":
      return varies(step, "senderUserId") ? EACH_ITS_OWN : (nameOf(step.sender, unnamed) ?? "Not chosen");
    case "rotation":
      return `Rotation ${chosen(step, "rotationId", step.rotation) ?? "not chosen"}`;
    case "portal_default":
    case null:
      return "The preset's sender";
  }
}

/** Null: its preset was deleted, which the step warns of. */
function fallbackFact(step: ListedStep): string | null {
  if (varies(step, "presetId")) return "From each contact's preset";
  if (step.fallback === null) return null;
  return fallbackInWords({ ...step.fallback, rotation: nameOf(step.fallback.rotation) });
}

function alreadyOf(step: ListedStep): string {
  if (varies(step, "ifAlreadyEnrolled")) return EACH_ITS_OWN;
  return step.ifAlreadyEnrolled === null ? "as in the preset" : ALREADY[step.ifAlreadyEnrolled];
}

function chosen(step: ListedStep, field: StepField, thing: NamedThing | null): string | null {
  return varies(step, field) ? EACH_ITS_OWN : nameOf(thing);
}

function nameOf(thing: NamedThing | null, withoutName = (id: string) => id): string | null {
  return thing === null ? null : shorten(thing.name ?? withoutName(thing.id), LONGEST_LABEL);
}
