import { AppError } from "../../errors.js";
import type { Actor, ApiScope, System } from "./actor.js";

/**
 * What a verb is about:
 * - `policy`, `alerts`, `executions`: what the account's admins decide, and what they do to single contacts
 * - `webhooks`: which programs are told what happens
 * - `access`: who may use the settings pages; `pause`: pausing and resuming it; `account`: erasing its history, its connection
 * - `export`: files that are taken along
 * - `self`: what everyone may do whom HubSpot names to us; `ownAddress`: what a mail's recipient may do
 */
export type Right =
  | "policy"
  | "alerts"
  | "executions"
  | "webhooks"
  | "access"
  | "pause"
  | "account"
  | "export"
  | "self"
  | "ownAddress";

/** Which right each verb of the domain needs. The only place that says so. */
const RIGHT_OF = {
  saveSender: "policy",
  markSenders: "policy",
  clearRefusal: "policy",
  createRotation: "policy",
  saveRotation: "policy",
  deleteRotation: "policy",
  savePreset: "policy",
  deletePreset: "policy",
  savePortalPolicy: "policy",
  undoChange: "policy",
  saveView: "policy",
  deleteView: "policy",
  snoozeCause: "policy",
  wakeCause: "policy",
  switchOnUnenroll: "policy",
  switchOffUnenroll: "policy",
  makeFlow: "policy",
  removeMadeFlow: "policy",

  acceptEnrollments: "executions",
  actOnExecution: "executions",
  putInWorkflow: "executions",
  requestUnenrollment: "executions",
  createImport: "executions",
  changeImport: "executions",
  startBulkJob: "executions",
  stopBulkJob: "executions",

  changeAlerts: "alerts",
  askToConfirm: "alerts",
  renewSecret: "alerts",
  sendTestAlert: "alerts",
  confirmAddress: "ownAddress",
  changeSubscription: "ownAddress",

  addWebhook: "webhooks",
  changeWebhook: "webhooks",
  removeWebhook: "webhooks",
  rotateWebhookSecret: "webhooks",
  sendTestWebhook: "webhooks",
  redeliver: "webhooks",
  switchOff: "webhooks",

  giveAccess: "access",
  removeAccess: "access",
  changeRole: "access",
  createKey: "access",
  revokeKey: "access",
  pausePortal: "pause",
  resumePortal: "pause",
  requestErasure: "account",
  disconnect: "account",
  exportRows: "export",

  connect: "self",
  signIn: "self",
  signOut: "self",
} as const satisfies Record<string, Right>;

export type Verb = keyof typeof RIGHT_OF;

const SYSTEM_RIGHTS: Readonly<Record<System["part"], readonly Right[]>> = {
  operator: ["access", "pause", "account", "webhooks"],
  // It has ended the connection already: we only note it.
  hubspot: ["account"],
  worker: ["executions", "pause", "webhooks"],
};

/** Reading needs no right of a verb: an endpoint names the scope it asks for. */
const SCOPE_RIGHTS: Readonly<Record<ApiScope, readonly Right[]>> = {
  "enrollments:read": [],
  "enrollments:write": ["executions", "webhooks"],
};

const ADMIN_RIGHTS: readonly Right[] = [
  "policy",
  "alerts",
  "executions",
  "webhooks",
  "access",
  "pause",
  "account",
  "export",
];

/** Files hold what they see on the pages anyway. */
const VIEWER_RIGHTS: readonly Right[] = ["export"];

function rightsOf(actor: Actor): readonly Right[] {
  switch (actor.kind) {
    case "admin":
      return ADMIN_RIGHTS;
    case "viewer":
      return VIEWER_RIGHTS;
    case "hubspotTab":
      return ["policy", "pause"];
    case "apiKey":
      return actor.scopes.flatMap((scope) => SCOPE_RIGHTS[scope]);
    case "system":
      return SYSTEM_RIGHTS[actor.part];
    case "visitor":
      return ["self"];
    case "mailRecipient":
      return ["ownAddress"];
  }
}

/** Whether an actor may do it in the actor's own portal; nobody may do anything in another. */
export function mayDo(actor: Actor, verb: Verb): boolean {
  return rightsOf(actor).includes(RIGHT_OF[verb]);
}

/** An actor asked for what they have no right to. Pages do not offer it; an API answers 403. */
export class NotAllowed extends AppError {
  override readonly code = "NOT_ALLOWED";
  override readonly status = 403;
  readonly verb: Verb;

  constructor(actor: Actor, verb: Verb) {
    super(`an actor of kind ${actor.kind} may not ${verb} in portal ${actor.portalId}`);
    this.verb = verb;
  }
}

/**
 * The first line of every verb.
 *
 * @throws NotAllowed if the actor may not do it: before anything is read or written.
 */
export function requireRight(actor: Actor, verb: Verb): void {
  if (!mayDo(actor, verb)) throw new NotAllowed(actor, verb);
}
