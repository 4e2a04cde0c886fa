import type { FlowStepKind } from "#domain/flows/flow-steps.js";

/** What the workflow editor calls each action. */
export const STEP_TITLES: Readonly<Record<FlowStepKind, string>> = {
  ENROLL: "Enroll in sequence",
  CHECK_ENROLLMENT: "Check sequence enrollment",
  WAIT_FOR_SEQUENCE_END: "Wait for sequence end",
  UNENROLL: "Unenroll from sequence",
  NATIVE_ENROLL: "Enroll in a sequence (HubSpot's own action)",
  NATIVE_UNENROLL: "Unenroll from sequence (HubSpot's own action)",
};
