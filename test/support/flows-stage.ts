import type { FlowCreate } from "../../src/simulator/flows/flow-requests.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { RunningApp } from "./start-app.js";

/** HubSpot's number of the simulator's enroll action. */
export const ENROLL_TYPE = "1-170012345";

interface Step {
  readonly type: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A workflow of contacts with these steps, one after the other. */
export function flowWith(name: string, steps: readonly Step[], isEnabled = true): FlowCreate {
  return {
    type: "CONTACT_FLOW",
    flowType: "WORKFLOW",
    objectTypeId: "0-1",
    name,
    isEnabled,
    startActionId: "1",
    actions: steps.map(({ type, fields = {} }, index) => ({
      type: "SINGLE_CONNECTION",
      actionId: String(index + 1),
      actionTypeId: type,
      actionTypeVersion: 1,
      fields,
    })),
    enrollmentCriteria: { type: "MANUAL", shouldReEnroll: true },
    timeWindows: [],
    blockedDates: [],
    customProperties: {},
    dataSources: [],
    suppressionListIds: [],
    canEnrollFromSalesforce: false,
  };
}

export const idOf = ({ portalId }: SimulatedPortal) => ({ portalId: BigInt(portalId) });

/** Waits until a reading of the workflows that began after `after` has ended. */
export async function untilFlowsRead(running: RunningApp, portal: SimulatedPortal, after = new Date(0)) {
  const endsAt = Date.now() + 60_000;
  for (;;) {
    const row = await running.db.database.prisma.portal.findUniqueOrThrow({ where: idOf(portal) });
    if (row.flowsReadAt !== null && row.flowsReadAt > after) return row;
    if (Date.now() > endsAt) throw new Error("the workflows were not read");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks for a new copy, as the button does, and waits for it. */
export async function readFlowsAgain(running: RunningApp, portal: SimulatedPortal) {
  const { flowsReadAt } = await untilFlowsRead(running, portal);
  await running.db.database.pool.query("UPDATE portals SET flows_requested_at = now() WHERE portal_id = $1", [
    portal.portalId,
  ]);
  return untilFlowsRead(running, portal, flowsReadAt ?? new Date(0));
}
