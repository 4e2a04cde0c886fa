import { notFound, page, redirect, type Answer } from "../wire/answer.js";
import type { World } from "../world/world.js";
import {
  decide,
  problemWith,
  readAuthorizeRequest,
  type AuthorizeRequest,
  type ConsentChoice,
  type ConsentOutcome,
} from "./authorize.js";
import { authorizeErrorPage, consentPage, installedPage } from "./consent-page.js";
import { marketplaceRequest } from "./marketplace.js";

/** A request to the pages that live on app.hubspot.com. */
interface SiteRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  /** Path and query as they came, for the form to post back to. */
  readonly target: string;
}

export interface SiteRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly answer: (world: World, request: SiteRequest) => Answer;
}

const CONSENT_PATHS = [
  "/oauth/authorize",
  "/oauth/{portalId}/authorize",
  "/marketplace/{portalId}/consent",
] as const;

export const SITE_ROUTES: readonly SiteRoute[] = [
  ...CONSENT_PATHS.flatMap((path): SiteRoute[] => [
    { method: "GET", path, answer: askForConsent },
    { method: "POST", path, answer: takeConsent },
  ]),
  { method: "GET", path: "/marketplace/{portalId}/installed", answer: showInstalled },
];

/** Reads any of the three URLs a consent page can be reached by. */
export function authorizeRequestAt(
  world: World,
  path: string,
  query: URLSearchParams,
): AuthorizeRequest | undefined {
  const marketplace = /^\/marketplace\/(\d+)\/consent$/.exec(path);
  if (marketplace !== null) return marketplaceRequest(world, Number(marketplace[1]), query);
  const own = /^\/oauth\/(?:(\d+)\/)?authorize$/.exec(path);
  if (own === null) return undefined;
  return readAuthorizeRequest(query, own[1] === undefined ? undefined : Number(own[1]));
}

function withoutQuery(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

function askForConsent(world: World, { query, target }: SiteRequest): Answer {
  const request = authorizeRequestAt(world, withoutQuery(target), query);
  if (request === undefined) return notFound("No such page");
  const problem = problemWith(world, request);
  if (problem !== undefined) return page(400, authorizeErrorPage(problem));
  if (world.settings.autoConsent !== undefined)
    return followUp(decide(world, request, world.settings.autoConsent));
  const portals = [...world.portals.values()];
  return page(200, consentPage(request, { appName: world.settings.appName, portals, action: target }));
}

function takeConsent(world: World, { query, form, target }: SiteRequest): Answer {
  const request = authorizeRequestAt(world, withoutQuery(target), query);
  if (request === undefined) return notFound("No such page");
  const choice = choiceOf(form);
  if (world.settings.asksOnce && choice.deny !== true) world.settings.autoConsent = choice;
  return followUp(decide(world, request, choice));
}

function choiceOf(form: URLSearchParams): ConsentChoice {
  const [portalId, userId] = (form.get("identity") ?? "").split(":").map(Number);
  return { portalId: portalId ?? 0, userId: userId ?? 0, deny: form.get("decision") !== "allow" };
}

function followUp(outcome: ConsentOutcome): Answer {
  return outcome.kind === "callback" ? redirect(outcome.url) : page(400, authorizeErrorPage(outcome.reason));
}

function showInstalled(world: World, { params }: SiteRequest): Answer {
  const portalId = Number(params["portalId"]);
  return page(200, installedPage(portalId, world.grants.isInstalled(portalId)));
}
