import type { Feature } from "#platform/hubspot/oauth/scopes.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";

export const ACTIVITY_PATH = "/settings/activity";
/** The list alone, for the page that renews itself. */
export const LATEST_PATH = `${ACTIVITY_PATH}/latest`;
export const EXPORT_PATH = `${ACTIVITY_PATH}/export.csv`;
export const BULK_PATH = `${ACTIVITY_PATH}/bulk`;
/** Filters of the list that were saved under a name. */
export const VIEWS_PATH = `${ACTIVITY_PATH}/views`;

export function storyPath(id: ExecutionId): string {
  return `${ACTIVITY_PATH}/${id}`;
}

/** The story alone, for the page that renews itself. */
export function storyPartPath(id: ExecutionId): string {
  return `${storyPath(id)}/story`;
}

/** The question before the contact of an execution is taken out of its sequence. */
export function unenrollPath(id: ExecutionId): string {
  return `/settings/unenroll/contact/${id}`;
}

export function jobPath(id: bigint): string {
  return `${BULK_PATH}/${id}`;
}

export const HELP_PATH = "/settings/help";

/** What a reason means, and what can be done about it. */
export function helpPath(code: string): string {
  return `${HELP_PATH}/${code}`;
}

export const ROTATIONS_PATH = "/settings/rotations";
export const NEW_ROTATION_PATH = `${ROTATIONS_PATH}/new`;

export const IMPORTS_PATH = "/settings/imports";

export const SEGMENTS_PATH = `${IMPORTS_PATH}/segments`;

export const CLOSE_PATH = `${IMPORTS_PATH}/close`;

export function importPath(id: bigint): string {
  return `${IMPORTS_PATH}/${id}`;
}

export const WORKFLOWS_PATH = "/settings/workflows";

/** The id of a workflow's row on their page. */
export function workflowRowId(flowId: string): string {
  return `workflow-${flowId}`;
}

/** A workflow's row on the page of workflows. */
export function workflowPath(flowId: string): string {
  return `${WORKFLOWS_PATH}#${workflowRowId(flowId)}`;
}

export const WEBHOOKS_PATH = "/settings/webhooks";

export function webhookPath(id: bigint): string {
  return `${WEBHOOKS_PATH}/${id}`;
}

/** The documentation of the REST API, and of the messages that webhooks get. */
export const API_DOCS_PATH = "/api/docs";

export const RECONNECT_PATH = "/settings/reconnect";

/**
 * Where an admin connects the account again, or gives the permissions that a feature needs. Permissions that the account
 * has given for other features are asked for again (gate/reconnect.ts).
 */
export function reconnectPath(feature: Feature): string {
  return `${RECONNECT_PATH}?for=${feature}`;
}

/** The origin of HubSpot's pages for the portal: its own host, or `appUrl` if that is not known. */
export function hubspotUrlOf({ uiDomain }: Pick<PortalOverview, "uiDomain">, appUrl: string): string {
  return uiDomain !== null && /^[\w.-]+$/.test(uiDomain) ? `https://${uiDomain}` : appUrl;
}
