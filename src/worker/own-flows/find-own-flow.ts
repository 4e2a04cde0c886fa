import type { OwnFlow, PortalGateway } from "#platform/hubspot/gateway.js";

/** Pages of workflows that are searched for one of ours. */
const MOST_PAGES = 50;

/**
 * Looks for a workflow that an earlier try may have made before its answer was lost: among those with its name, the
 * first that is ours. HubSpot's list may show a new one late, so a try after a lost answer waits first.
 *
 * @throws HubSpot's faults.
 */
export async function findOwnFlow(
  gateway: Pick<PortalGateway, "listFlowsNamed" | "readOwnFlow">,
  name: string,
  isOurs: (flow: OwnFlow) => boolean,
): Promise<OwnFlow | undefined> {
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { ids, after: next } = await gateway.listFlowsNamed(name, { after });
    for (const id of ids) {
      const flow = await gateway.readOwnFlow(id);
      if (flow !== undefined && isOurs(flow)) return flow;
    }
    if (next === undefined) return undefined;
    after = next;
  }
  return undefined;
}
