import { z } from "zod";
import type { SimulatedPortal } from "../portal.js";
import { TROUBLES } from "../portal/troubles.js";
import type { RunRequest } from "../workflow/run-request.js";
import type { WorkflowRun } from "../workflow/run.js";
import type { ControlCall, ControlRoute } from "./control-route.js";
import { portalSummary, runSummary, safetyFacts } from "./summaries.js";
import { withoutUndefined } from "./world-controls.js";

const contact = z.strictObject({
  id: z.string().optional(),
  properties: z.record(z.string(), z.string().nullable()).optional(),
  suppression: z.enum(["unsubscribed", "bounced", "blocked"]).optional(),
  trouble: z.enum(TROUBLES).optional(),
});

const run = z.strictObject({
  actionUrl: z.url(),
  publicUrl: z.url().optional(),
  contactIds: z.union([z.array(z.string()), z.literal("all")]),
  inputs: z.record(z.string(), z.string()),
  objectProperties: z.array(z.string()).default(["email", "hubspot_owner_id", "hs_sequences_is_enrolled"]),
  workflowId: z.int().optional(),
  context: z.looseObject({ source: z.string() }).optional(),
  ratePerSecond: z.number().positive().optional(),
  concurrency: z.int().positive().optional(),
  timeoutMs: z.int().positive().optional(),
  retryGapsMs: z.array(z.number().nonnegative()).optional(),
  maxRetryAfterMs: z.number().nonnegative().optional(),
  duplicateProbability: z.number().min(0).max(1).optional(),
});

const end = z.object({ contactId: z.string(), how: z.enum(["finished", "unenrolled", "replied"]) });
const oneContact = z.strictObject({ contactId: z.string() });
const enrollment = oneContact.extend({
  sequenceId: z.string().optional(),
  agoMs: z.number().nonnegative().optional(),
});
const merge = z.strictObject({ primaryId: z.string(), otherId: z.string() });
const options = z.looseObject({ optionsUrl: z.url(), inputFieldName: z.string() });
const event = z.looseObject({ subscriptionType: z.string(), objectId: z.string() });
const webhooks = z.object({ url: z.url(), events: z.array(event) });

/** Controls of one account. */
export const PORTAL_CONTROLS: readonly ControlRoute[] = [
  { method: "GET", path: "/portals/{portalId}", answer: (call) => portalSummary(call.world, portalOf(call)) },
  { method: "GET", path: "/portals/{portalId}/facts", answer: (call) => safetyFacts(portalOf(call)) },
  {
    method: "GET",
    path: "/portals/{portalId}/contacts",
    answer: (call) => ({ contactIds: [...portalOf(call).contacts.keys()] }),
  },
  { method: "POST", path: "/portals/{portalId}/contacts", answer: addContact },
  { method: "POST", path: "/portals/{portalId}/runs", answer: startRun },
  { method: "GET", path: "/portals/{portalId}/runs/{runId}", answer: watchRun },
  {
    method: "GET",
    path: "/portals/{portalId}/runs/{runId}/executions",
    answer: (call) => ({ executions: runOf(call).executions }),
  },
  {
    method: "POST",
    path: "/portals/{portalId}/end-enrollment",
    answer: (call) => {
      const { contactId, how } = end.parse(call.body);
      portalOf(call).endEnrollment(contactId, how);
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/enroll-in-ui",
    answer: (call) => {
      const { contactId, ...choice } = enrollment.parse(call.body);
      return { enrollmentId: portalOf(call).enrollInUi(contactId, withoutUndefined(choice)).id };
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/delete-contact",
    answer: (call) => {
      portalOf(call).deleteContact(oneContact.parse(call.body).contactId);
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/erase-contact",
    answer: (call) => {
      portalOf(call).erasePrivately(oneContact.parse(call.body).contactId);
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/merge-contacts",
    answer: (call) => {
      const { primaryId, otherId } = merge.parse(call.body);
      return { contactId: portalOf(call).mergeContacts(primaryId, otherId).id };
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/options",
    answer: (call) => portalOf(call).fetchOptions(options.parse(call.body)),
  },
  {
    method: "POST",
    path: "/portals/{portalId}/webhooks",
    answer: async (call) => {
      const { events, url } = webhooks.parse(call.body);
      return { deliveries: await portalOf(call).sendWebhooks(events, url) };
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/uninstall",
    answer: (call) => {
      portalOf(call).uninstall();
    },
  },
  {
    method: "POST",
    path: "/portals/{portalId}/expire-access-tokens",
    answer: (call) => {
      portalOf(call).expireAccessTokens();
    },
  },
];

function addContact(call: ControlCall): unknown {
  const { trouble, ...seed } = contact.parse(call.body);
  const portal = portalOf(call);
  const added =
    trouble === undefined ? portal.addContact(withoutUndefined(seed)) : portal.addTroubledContact(trouble);
  return { contactId: added.id };
}

function startRun(call: ControlCall): unknown {
  const portal = portalOf(call);
  const { contactIds, ...request } = run.parse(call.body);
  const started = portal.runAction({
    ...(withoutUndefined(request) as Omit<RunRequest, "contactIds">),
    contactIds: contactIds === "all" ? [...portal.contacts.keys()] : contactIds,
  });
  return runSummary(started);
}

/** `?wait=answered` or `?wait=finished` holds the answer until then, at most `timeoutMs` (default 30 s). */
async function watchRun(call: ControlCall): Promise<unknown> {
  const watched = runOf(call);
  const wait = call.query.get("wait");
  const timeoutMs = Number(call.query.get("timeoutMs") ?? 30_000);
  if (wait === "answered") await Promise.race([watched.answered, call.world.delays.wait(timeoutMs)]);
  if (wait === "finished") await Promise.race([watched.finished, call.world.delays.wait(timeoutMs)]);
  return runSummary(watched);
}

function portalOf({ world, params }: ControlCall): SimulatedPortal {
  const portal = world.portals.get(Number(params["portalId"]));
  if (portal === undefined) throw new RangeError(`There is no portal ${params["portalId"]}`);
  return portal;
}

function runOf(call: ControlCall): WorkflowRun {
  const found = portalOf(call).runs.find(({ id }) => id === call.params["runId"]);
  if (found === undefined) throw new RangeError(`There is no run ${call.params["runId"]}`);
  return found;
}
