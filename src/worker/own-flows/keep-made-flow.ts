import type { Ownership } from "#domain/executions/claim.js";
import { ENTRY_PROPERTY_DEFINITION } from "#domain/flow-entries/entry-property.js";
import { requestFlows } from "#domain/flows/flow-state.js";
import {
  readDueMadeFlow,
  writeMadeFlow,
  type DueMadeFlow,
  type MadeFlowChange,
} from "#domain/ready-made/made-flow.js";
import { HubSpotError, HubSpotRejected, HubSpotUnavailable, PortalSpared } from "#platform/hubspot/errors.js";
import type { OwnFlow, PortalGateway } from "#platform/hubspot/gateway.js";
import { waitAfterMs } from "#platform/hubspot/pace/wait-after.js";
import { findOwnFlow } from "./find-own-flow.js";

export interface OwnFlowTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
}

/** HubSpot's list of workflows may show a new one late: after a lost answer it is read before another is made. */
const RETRY = { baseMs: 20_000, capMs: 15 * 60_000 };

/** What a step did. */
export interface Kept {
  readonly requests: number;
}

/**
 * One step for the workflow that has been due longest: makes it, or deletes it if it is unchanged.
 *
 * @returns undefined if none is due.
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function keepMadeFlow(tools: OwnFlowTools): Promise<Kept | undefined> {
  const flow = await readDueMadeFlow(tools.owner);
  if (flow === undefined) return undefined;
  try {
    await (flow.state === "REMOVING" ? removeFlow(tools, flow) : makeFlow(tools, flow));
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    if (!(error instanceof PortalSpared)) await noteFailure(tools, flow, error);
  }
  return { requests: 2 };
}

/**
 * The intent is stored before the create is sent: whoever finds it looks first whether the workflow is there. HubSpot has
 * no key that would keep a repeated create from making a second one.
 */
async function makeFlow({ owner, gateway }: OwnFlowTools, flow: DueMadeFlow): Promise<void> {
  const { name, marker, definition, stamp } = flow;
  // A trigger can name only what is there.
  if (stamp !== undefined) await gateway.createContactProperty(ENTRY_PROPERTY_DEFINITION);
  const isOurs = ({ description }: OwnFlow) => description?.includes(marker) === true;
  let made = flow.state === "SENDING" ? await findOwnFlow(gateway, name, isOurs) : undefined;
  const sending = { id: flow.id, state: "SENDING" } as const;
  if (made === undefined) {
    const { tries } = flow;
    if (!(await writeMadeFlow(owner, flow, { state: "SENDING", dueInMs: RETRY.baseMs, tries }))) return;
    made = await create(gateway, definition, () => writeMadeFlow(owner, sending, { state: "MAKING", tries }));
  }
  await writeMadeFlow(owner, sending, { state: "MADE", flowId: made.id, revisionId: made.revisionId });
  // Its steps show on the page of workflows with the next reading.
  await requestFlows(owner.pool, owner.portalId, { minAgeMs: 0 });
}

/** If it was certainly not sent, it is not looked for. */
async function create(
  gateway: PortalGateway,
  definition: object,
  onNotSent: () => Promise<unknown>,
): Promise<OwnFlow> {
  try {
    return await gateway.createFlow(definition);
  } catch (error) {
    if (error instanceof HubSpotUnavailable && error.wasNotSent) await onNotSent();
    throw error;
  }
}

async function removeFlow({ owner, gateway }: OwnFlowTools, flow: DueMadeFlow): Promise<void> {
  const found = flow.flowId === undefined ? undefined : await gateway.readOwnFlow(flow.flowId);
  if (found !== undefined && found.revisionId !== flow.revisionId) {
    await writeMadeFlow(owner, flow, { state: "MADE", problem: "CHANGED" });
    return;
  }
  if (found !== undefined) await gateway.deleteFlow(found.id);
  await writeMadeFlow(owner, flow, { state: "REMOVED" });
  await requestFlows(owner.pool, owner.portalId, { minAgeMs: 0 });
}

async function noteFailure({ owner }: OwnFlowTools, flow: DueMadeFlow, fault: HubSpotError): Promise<void> {
  const tries = flow.tries + 1;
  // How far the try came before it failed is what is stored: only this owner moves it.
  for (const state of ["MAKING", "SENDING", "REMOVING"] as const)
    if (await writeMadeFlow(owner, { id: flow.id, state }, { tries, ...afterFailure(state, fault, tries) }))
      return;
}

function afterFailure(state: DueMadeFlow["state"], fault: HubSpotError, tries: number): MadeFlowChange {
  if (fault instanceof HubSpotRejected) {
    const problem = fault.httpStatus === 403 ? "NO_PERMISSION" : "REFUSED";
    const message = [...new Set([fault.hubspotMessage, ...fault.details])].join(" ");
    return { state: state === "REMOVING" ? "MADE" : "FAILED", problem, message };
  }
  return { state, message: fault.message, dueInMs: waitAfterMs(fault, tries, RETRY) };
}
