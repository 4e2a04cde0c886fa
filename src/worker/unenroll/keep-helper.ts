import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import type { Ownership } from "#domain/executions/claim.js";
import {
  HELPER_FLOW,
  HELPER_NAME,
  problemOfHelper,
  STAMP_PROPERTY_DEFINITION,
} from "#domain/unenroll/helper-flow.js";
import {
  forgetSetup,
  readSetup,
  writeSetup,
  type SetupProblem,
  type UnenrollSetup,
} from "#domain/unenroll/setup.js";
import { removeFromHubSpot } from "#domain/unenroll/remove-from-hubspot.js";
import { hasOpenUnenrollments } from "#domain/unenroll/unenrollments.js";
import { PROBLEM_SENTENCES } from "#domain/unenroll/problem-sentences.js";
import { HubSpotError, HubSpotRejected, PortalSpared } from "#platform/hubspot/errors.js";
import type { OwnFlow, PortalGateway } from "#platform/hubspot/gateway.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { findOwnFlow } from "#worker/own-flows/find-own-flow.js";
import { HOUR_MS } from "#platform/time/units.js";

export interface HelperTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
}

/** Without a contact to unenroll the helper workflow is read this often; before contacts are stamped, more often. */
const CHECK_EVERY_MS = HOUR_MS;
const FRESH_MS = 60_000;
/** HubSpot's list of workflows may show a new one late: after a lost answer it is read before another is made. */
const RETRY = { baseMs: 20_000, capMs: 15 * 60_000 };
const NOT_ALLOWED_AGAIN_MS = HOUR_MS;
const WAIT_FOR_CONTACTS_MS = 5_000;

/**
 * Does what is due for the account's helper workflow: makes it, checks that it is still as it was made, or removes it.
 */
export async function keepHelper(tools: HelperTools, setup: UnenrollSetup): Promise<void> {
  try {
    switch (setup.state) {
      case "MAKING":
        return await makeHelper(tools, setup);
      case "ON":
        return void (await checkHelper(tools, setup));
      case "REMOVING":
        return await removeHelper(tools, setup);
    }
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    if (error instanceof PortalSpared) return;
    await noteFailure(tools, setup, error);
  }
}

async function noteFailure(
  { owner }: HelperTools,
  { state, tries }: UnenrollSetup,
  fault: HubSpotError,
): Promise<void> {
  const isRefused = fault instanceof HubSpotRejected;
  const isForbidden = isRefused && fault.httpStatus === 403;
  await writeSetup(owner, state, {
    ...(isForbidden ? { problem: "NO_PERMISSION" } : {}),
    dueInMs: isForbidden ? NOT_ALLOWED_AGAIN_MS : backoffMs(tries + 1, RETRY),
    tries: tries + 1,
    lastProblem: isRefused ? `HubSpot said: ${fault.hubspotMessage}` : fault.message,
  });
}

/**
 * Makes the property and the workflow. Each step first looks what is there: after a crash, or a lost answer, whatever was
 * made is found again instead of being made twice.
 */
async function makeHelper({ owner, gateway }: HelperTools, { tries }: UnenrollSetup): Promise<void> {
  const isNew = await gateway.createContactProperty(STAMP_PROPERTY_DEFINITION);
  if (isNew)
    await writeSetup(owner, "MAKING", { hasMadeProperty: true, dueInMs: 0, tries, lastProblem: null });
  // A changed one belongs to whoever changed it.
  const isOurs = (found: OwnFlow) => problemOfHelper(found) === undefined;
  const flow = (await findOwnFlow(gateway, HELPER_NAME, isOurs)) ?? (await gateway.createFlow(HELPER_FLOW));
  await writeSetup(owner, "MAKING", {
    state: "ON",
    flowId: flow.id,
    revisionId: flow.revisionId,
    problem: problemOfHelper(flow) ?? null,
    isChecked: true,
    dueInMs: CHECK_EVERY_MS,
    tries: 0,
    lastProblem: null,
  });
}

/** Reads the helper workflow, and alerts the account's admins if someone changed it. @returns what is wrong with it. */
async function checkHelper(
  { owner, gateway }: HelperTools,
  { flowId, problem: before }: UnenrollSetup,
): Promise<SetupProblem | undefined> {
  const flow = flowId === undefined ? undefined : await gateway.readOwnFlow(flowId);
  const found = problemOfHelper(flow);
  // Reading it says nothing about what HubSpot lets us write.
  const isOfWriting = before === "NO_PERMISSION" || before === "NO_PROPERTY";
  const problem = found ?? (isOfWriting ? before : undefined);
  await writeSetup(owner, "ON", {
    ...(flow === undefined ? {} : { revisionId: flow.revisionId }),
    problem: problem ?? null,
    isChecked: true,
    dueInMs: CHECK_EVERY_MS,
    tries: 0,
    lastProblem: null,
  });
  if (problem !== undefined && problem !== before) await tellAdmins(owner, problem);
  return problem;
}

/** Whether contacts may be stamped now. @throws HubSpot's faults: then it is not known. */
export async function problemBeforeStamping(
  tools: HelperTools,
  now: Date,
): Promise<SetupProblem | "OFF" | undefined> {
  const setup = await readSetup(tools.owner, tools.owner.portalId);
  if (setup?.state !== "ON") return "OFF";
  if (setup.problem !== undefined) return setup.problem;
  const isFresh = setup.checkedAt !== undefined && now.getTime() - setup.checkedAt.getTime() < FRESH_MS;
  return isFresh ? undefined : checkHelper(tools, setup);
}

/** HubSpot refused to write a stamp: no contact is stamped until an admin has fixed it. */
export async function noteProblem(owner: Ownership, problem: SetupProblem): Promise<void> {
  const isStored = await writeSetup(owner, "ON", {
    problem,
    dueInMs: CHECK_EVERY_MS,
    tries: 0,
    lastProblem: null,
  });
  if (isStored) await tellAdmins(owner, problem);
}

async function tellAdmins({ pool, portalId }: Ownership, problem: SetupProblem): Promise<void> {
  await raiseAlert(pool, {
    portalId,
    kind: "UNENROLL_BROKEN",
    message: `Contacts are not taken out of their sequences anymore. ${PROBLEM_SENTENCES[problem]}`,
    page: "/settings/unenroll",
  });
}

/** Deletes what the app made, as soon as no contact needs it anymore. */
async function removeHelper(tools: HelperTools, setup: UnenrollSetup): Promise<void> {
  const { owner, gateway } = tools;
  if (await hasOpenUnenrollments(owner)) {
    await writeSetup(owner, "REMOVING", { dueInMs: WAIT_FOR_CONTACTS_MS, tries: 0, lastProblem: null });
    return;
  }
  await removeFromHubSpot(gateway, setup);
  await forgetSetup(owner);
}
