import { invalid, ok, type Answer } from "../wire/answer.js";
import type { ApiCall, ApiRoute } from "./call.js";

const SCOPES = ["communication_preferences.read", "communication_preferences.read_write"];

/** Opt-out state of an address (docs/hubspot.md §5.6); one subscription type, "One to One". */
export const PREFERENCE_ROUTES: readonly ApiRoute[] = [
  {
    method: "GET",
    path: "/communication-preferences/2026-09/statuses/{subscriberIdString}",
    endpoint: "preferences",
    scopes: SCOPES,
    answer: statuses,
  },
];

function statuses({ portal, params, query, nowMs }: ApiCall): Answer {
  if (query.get("channel") !== "EMAIL") return invalid("query param channel may not be null");
  const email = params["subscriberIdString"] ?? "";
  const contact = [...portal.contacts.values()].find(({ properties }) => properties["email"] === email);
  const at = new Date(nowMs).toISOString();
  const status = {
    channel: "EMAIL",
    subscriberIdString: email,
    subscriptionId: 1,
    subscriptionName: "One to One",
    status: contact?.suppression === "unsubscribed" ? "UNSUBSCRIBED" : "NOT_SPECIFIED",
    source: "Simulated form",
    timestamp: at,
  };
  return ok({ status: "COMPLETE", results: [status], startedAt: at, completedAt: at });
}
