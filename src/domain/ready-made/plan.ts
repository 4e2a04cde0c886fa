import type { RecipeChoices, RecipeEnrollment, RecipeTrigger } from "./recipe.js";

/** A step of a workflow that is to be made; the words, the picture and the flow itself are all made from these. */
export type PlanStep =
  | { readonly kind: "enroll"; readonly enroll: RecipeEnrollment }
  | { readonly kind: "delay"; readonly days: number }
  | { readonly kind: "wait"; readonly maxDays: number }
  /** Contacts who replied within the last days leave the workflow. */
  | { readonly kind: "unless-replied"; readonly days: number }
  | { readonly kind: "set-property"; readonly property: string; readonly value: string }
  | PlanBranch;

/** Contacts part by the outcome of the wait step right before. */
export interface PlanBranch {
  readonly kind: "branch";
  readonly ways: readonly { readonly outcome: "REPLIED" | "FINISHED"; readonly steps: readonly PlanStep[] }[];
  /** Contacts of every other outcome leave the workflow. */
  readonly others: string;
}

/** A whole workflow, before it is made. */
export interface Plan {
  readonly trigger: RecipeTrigger;
  readonly steps: readonly PlanStep[];
}

/** What a recipe comes to with what was chosen. */
export function planOf(choices: RecipeChoices): Plan {
  const { trigger } = choices;
  const enroll: PlanStep = { kind: "enroll", enroll: choices.enroll };
  switch (choices.recipe) {
    case "FORM":
    case "FILTER":
      return { trigger, steps: [enroll] };
    case "NO_REPLY":
      return { trigger, steps: onceEnded(choices, enroll) };
    case "OUTCOME": {
      const { replied, finished } = choices.leadStatus;
      const ways = [
        { outcome: "REPLIED", steps: setLeadStatus(replied) },
        { outcome: "FINISHED", steps: setLeadStatus(finished) },
      ] as const;
      const branch: PlanStep = { kind: "branch", ways, others: "Unenrolled, or still in the sequence" };
      return { trigger, steps: [enroll, { kind: "wait", maxDays: choices.days }, branch] };
    }
  }
}

/** The end of the sequence is waited for first: later nobody could tell how it ended. */
function onceEnded({ days, waitDays }: { days: number; waitDays: number }, enroll: PlanStep): PlanStep[] {
  const steps: PlanStep[] = [{ kind: "delay", days }, { kind: "unless-replied", days }, enroll];
  const others = "Replied, unenrolled, or still in the sequence";
  return [
    { kind: "wait", maxDays: waitDays },
    { kind: "branch", ways: [{ outcome: "FINISHED", steps }], others },
  ];
}

function setLeadStatus(value: string | null): PlanStep[] {
  return value === null ? [] : [{ kind: "set-property", property: "hs_lead_status", value }];
}

/** The steps of a plan, also those on its ways. */
export function allSteps(steps: readonly PlanStep[]): PlanStep[] {
  return steps.flatMap((step) =>
    step.kind === "branch" ? [step, ...step.ways.flatMap((way) => allSteps(way.steps))] : [step],
  );
}
