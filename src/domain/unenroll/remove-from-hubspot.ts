import type { Pool } from "pg";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { problemOfHelper, STAMP_PROPERTY } from "./helper-flow.js";
import { readSetup, type UnenrollSetup } from "./setup.js";

type Remover = Pick<PortalGateway, "readOwnFlow" | "deleteFlow" | "deleteContactProperty">;

/**
 * Deletes what the app made in the account; safe to repeat. A workflow that someone changed is left to them, and with
 * it the property it looks at.
 *
 * @throws HubSpot's faults.
 */
export async function removeFromHubSpot(
  gateway: Remover,
  { flowId, hasMadeProperty }: Pick<UnenrollSetup, "flowId" | "hasMadeProperty">,
): Promise<void> {
  const flow = flowId === undefined ? undefined : await gateway.readOwnFlow(flowId);
  const isChanged = flow !== undefined && problemOfHelper(flow) === "CHANGED";
  if (flow !== undefined && !isChanged) await gateway.deleteFlow(flow.id);
  if (hasMadeProperty && !isChanged) await gateway.deleteContactProperty(STAMP_PROPERTY);
}

/**
 * The same while the app still has access, just before it gives that up: afterward nobody could. With the property, the
 * stamps of contacts that are being unenrolled go too.
 *
 * @throws what keeps HubSpot from being asked, and its refusals: then it stays there.
 */
export async function removeBeforeDisconnect(
  { pool, gateway }: { readonly pool: Pool; readonly gateway: Remover },
  portalId: PortalId,
): Promise<void> {
  const setup = await readSetup({ pool }, portalId);
  if (setup !== undefined) await removeFromHubSpot(gateway, setup);
}
