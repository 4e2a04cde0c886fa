import type { SimulatorOptions } from "./options.js";

/** The part of the options that says how HubSpot answers where its documents are silent. */
export type WorldPreset = Required<
  Pick<SimulatorOptions, "openQuestions" | "lookupLagMs" | "propertyLagMs" | "flowDelayMs" | "clockOffsetMs">
>;

/** Every open question answered in the app's favor: what one would wish for, and must not rely on. */
export const KIND_WORLD: WorldPreset = {
  openQuestions: {
    neverEnrolled: 404,
    endedEnrollment: "latest",
    repeatedCallback: 204,
    badIdInBatch: "take-good",
    deactivatedUsers: "left-out",
    workflowIdOfCalls: "flow",
    enrollNotFound: "named",
    refusalName: "subCategory",
    refusalWords: "known",
    refusalMembers: "documented",
    rotateRefreshTokens: false,
    retryAfter: "sane",
  },
  lookupLagMs: 0,
  propertyLagMs: 0,
  flowDelayMs: 0,
  clockOffsetMs: 0,
};

/** Every open question answered against the app: what it has to withstand. Faults come on top, by a plan of their own. */
export const UNKIND_WORLD: WorldPreset = {
  openQuestions: {
    neverEnrolled: 200,
    endedEnrollment: "empty",
    repeatedCallback: 404,
    badIdInBatch: "refuse-all",
    deactivatedUsers: "listed",
    workflowIdOfCalls: "legacy",
    enrollNotFound: "bare",
    refusalName: "errors.subCategory",
    refusalWords: "other",
    refusalMembers: "null",
    rotateRefreshTokens: true,
    retryAfter: "odd",
  },
  lookupLagMs: [1_000, 3_000],
  propertyLagMs: [10_000, 30_000],
  flowDelayMs: [500, 2_000],
  clockOffsetMs: -7_000,
};
