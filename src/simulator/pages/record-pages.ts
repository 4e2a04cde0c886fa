import type { SiteRoute } from "../authorization/site.js";
import type { SimulatedPortal } from "../portal.js";
import { page, type Answer } from "../wire/answer.js";
import type { World } from "../world/world.js";
import { escapeHtml, layout } from "./layout.js";

type Facts = readonly (readonly [name: string, value: string])[];

interface Shown {
  readonly title: string;
  readonly facts: Facts;
}

/** What the record of an address shows; undefined: the account does not have it. */
type Show = (portal: SimulatedPortal, id: string) => Shown | undefined;

/** The pages of HubSpot that the app links to, as far as a visitor of the simulation needs them. */
export const RECORD_ROUTES: readonly SiteRoute[] = [
  route("/contacts/{portalId}/record/0-1/{id}", contact),
  route("/sequences/{portalId}/sequence/{id}", sequence),
  route("/workflows/{portalId}/platform/flow/{id}/edit", workflow),
  route("/sequences/{portalId}", (portal) => ({
    title: "Sequences",
    facts: [...portal.sequences.values()]
      .filter(({ deleted }) => !deleted)
      .map(({ id, name }) => [name, `ID ${id}`]),
  })),
  route("/workflows/{portalId}", (portal) => ({
    title: "Workflows",
    facts: portal.flows
      .all()
      .map(({ id, name, isEnabled }) => [
        name ?? "Unnamed workflow",
        `${isEnabled ? "On" : "Off"}, ID ${id}`,
      ]),
  })),
  route("/settings/{portalId}/users", (portal) => ({
    title: "Users and teams",
    facts: [...portal.users.values()].map(({ firstName, lastName, email, seatNames }) => [
      `${firstName} ${lastName}`,
      `${email}, ${seatNames.length === 0 ? "no seat" : seatNames.join(", ")}`,
    ]),
  })),
  route("/settings/{portalId}/user-preferences/email", (portal) => ({
    title: "Email",
    facts: [...portal.users.values()].map(({ firstName, lastName, hasConnectedInbox, inboxAddress }) => [
      `${firstName} ${lastName}`,
      hasConnectedInbox ? `Inbox connected: ${inboxAddress}` : "No inbox connected",
    ]),
  })),
];

function route(path: string, show: Show): SiteRoute {
  return {
    method: "GET",
    path,
    answer: (world: World, { params }): Answer => {
      const portal = world.portals.get(Number(params["portalId"]));
      const shown = portal === undefined ? undefined : show(portal, params["id"] ?? "");
      if (shown === undefined)
        return page(404, layout("Not found", "<p>This account has no such record.</p>"));
      return page(200, layout(shown.title, listOf(shown.facts)));
    },
  };
}

function listOf(facts: Facts): string {
  const items = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${items.join("")}</dl>`;
}

function contact(portal: SimulatedPortal, id: string): Shown | undefined {
  const found = portal.find(id);
  if (found === undefined) return undefined;
  const { firstname = "", lastname = "", email = "", hubspot_owner_id } = found.properties;
  const owner = portal.owners.get(hubspot_owner_id ?? "");
  const name = [firstname, lastname].filter((part) => part !== null && part !== "").join(" ");
  return {
    title: name === "" ? `Contact ${found.id}` : name,
    facts: [
      ["Email", email ?? "–"],
      ["Contact owner", owner === undefined ? "No owner" : `${owner.firstName} ${owner.lastName}`],
      ...portal.enrollments.of(found.id).map(({ sequenceName, enrolledAtMs, senderEmail, ended }) => {
        const since = new Date(enrolledAtMs).toISOString().slice(0, 10);
        return [
          `Sequence ${sequenceName}`,
          `from ${senderEmail} since ${since}${ended === undefined ? "" : `: ${ended}`}`,
        ] as const;
      }),
    ],
  };
}

function sequence(portal: SimulatedPortal, id: string): Shown | undefined {
  const found = portal.sequences.get(id);
  if (found === undefined) return undefined;
  const enrollments = portal.enrollments.all().filter(({ sequenceId }) => sequenceId === id);
  return {
    title: found.name,
    facts: [
      ["Enrolled now", String(enrollments.filter(({ ended }) => ended === undefined).length)],
      ["Enrolled so far", String(enrollments.length)],
    ],
  };
}

function workflow(portal: SimulatedPortal, id: string): Shown | undefined {
  const found = portal.flows.find(id);
  if (found === undefined) return undefined;
  return {
    title: found.name ?? "Unnamed workflow",
    facts: [
      ["Status", found.isEnabled ? "On" : "Off"],
      ["Actions", String(found.actions.length)],
    ],
  };
}
