import { tabRoutes } from "./tab-routes.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { presetEntryOf } from "#web/settings/policy/preset-entry.js";

/** One call of a route, with ids of the account that is to be kept apart, and what others are to get for it. */
export type RouteCall = OpenCall | ReadCall | FormCall | TabCall;

/** The same for everybody, and tells of no account. */
export interface OpenCall {
  readonly kind: "open";
  readonly path: string;
  readonly status: number;
}

/** A page or a file (`page`), or a part that a page fetches (`part`): 401 for a stranger. */
export interface ReadCall {
  readonly kind: "page" | "part";
  readonly path: string;
  /** What another account's admin gets. */
  readonly other: number;
  /** Whether the account's own admin finds its names there. */
  readonly tells: boolean;
}

/** A form of the site. */
export interface FormCall {
  readonly kind: "form";
  readonly path: string;
  readonly fields: string[][];
  /** The text of a file that is sent with it, after the fields. */
  readonly file?: string;
  /** What another account's admin gets, with a token of their own. */
  readonly other: number;
  /** What the account's own admin gets, if not a redirect after a change and else a page. */
  readonly own?: number;
  /** Whether it changes something where the account's own admin sends it. */
  readonly changes: boolean;
  /** Whether a viewer may send it, too. */
  readonly isQuestion?: boolean;
}

/** What the settings tab inside HubSpot asks for; signed, no cookie, no token. */
export interface TabCall {
  readonly kind: "tab";
  readonly path: string;
  readonly body?: object;
  readonly other: number;
}

/** What the calls name. Versions are those stored now, so that the account's own admin may save. */
export interface RouteIds {
  readonly portalId: bigint;
  /** An execution that failed and can be tried again, one that is queued, one that waits until later. */
  readonly failed: bigint;
  readonly queued: bigint;
  readonly later: bigint;
  readonly job: bigint;
  /** A saved view of the list. */
  readonly view: bigint;
  readonly sender: bigint;
  readonly letIn: bigint;
  readonly viewer: bigint;
  readonly rotation: bigint;
  readonly preset: bigint;
  readonly madeFlow: bigint;
  readonly alertAddress: string;
  readonly keyPrefix: string;
  readonly webhook: bigint;
  readonly webhookVersion: number;
  /** A message to it that was delivered. */
  readonly delivery: bigint;
  /** An import that is set up but was not started. */
  readonly importId: bigint;
  readonly importVersion: number;
  readonly settingsVersion: number;
  readonly senderVersion: number;
  readonly rotationVersion: number;
  readonly presetVersion: number;
}

const open = (path: string, status = 200): OpenCall => ({ kind: "open", path, status });
const read =
  (kind: ReadCall["kind"]) =>
  (path: string, { other = 200, tells = true } = {}): ReadCall => ({ kind, path, other, tells });
const page = read("page");
const part = read("part");
const form = (
  path: string,
  fields: Record<string, unknown> | string[][] = {},
  { other = 303, changes = true, own }: { other?: number; changes?: boolean; own?: number } = {},
): FormCall => {
  const pairs = Array.isArray(fields)
    ? fields
    : Object.entries(fields).map(([name, value]) => [name, String(value)]);
  return { kind: "form", path, fields: pairs, other, changes, ...(own === undefined ? {} : { own }) };
};

/** Tells everybody who is signed in to which accounts, also whoever may not look at the one in use. */
export const ACCOUNTS = "/settings/accounts";

/**
 * Every route of the settings site and of the tab inside HubSpot, by its name in the router, in an order in which the
 * account's own admin can go through all of them.
 */
export function settingsRoutes(ids: RouteIds): Record<string, readonly RouteCall[]> {
  return {
    ...{ ...assets(), ...pages(ids), ...activity(ids), ...imports(ids), ...policy(ids) },
    ...{ ...webhooks(ids), ...rest(ids), ...tabRoutes(ids) },
  };
}

function assets(): Record<string, readonly RouteCall[]> {
  return {
    "GET /settings/assets/settings.css": [open("/settings/assets/settings.css")],
    "GET /settings/assets/htmx.js": [open("/settings/assets/htmx.js")],
    "GET /settings/assets/live.js": [open("/settings/assets/live.js")],
    "GET /settings/assets/logo.svg": [open("/settings/assets/logo.svg")],
    "GET /settings/sign-in": [open("/settings/sign-in", 302)],
    "HEAD /settings/sign-in": [],
    "GET /settings/reconnect": [open("/settings/reconnect?for=unenroll", 302)],
    "GET /settings/installed": [open("/settings/installed")],
  };
}

function pages({ portalId, sender, failed }: RouteIds): Record<string, readonly RouteCall[]> {
  const foreign = `portalId=${portalId}&portal=${portalId}&sender=${sender}&sequence=31&workflow=99`;
  const reports = ["sequence", "sender", "workflow"].map((by) => `by=${by}&range=90d&${foreign}`);
  return {
    "GET /settings": [page("/settings"), page(`/settings?range=30d&${foreign}`)],
    "GET /settings/setup": [part("/settings/setup", { tells: false })],
    "POST /settings/attention/snooze": [
      form("/settings/attention/snooze", { code: "OWNER_MISSING", subject: "", days: 7 }),
    ],
    "POST /settings/attention/wake": [
      form("/settings/attention/wake", { code: "OWNER_MISSING", subject: "" }),
    ],
    "GET /settings/waiting": [part("/settings/waiting", { tells: false })],
    "GET /settings/reports": reports.map((query) =>
      page(`/settings/reports?${query}`, { tells: !query.startsWith("by=workflow") }),
    ),
    "GET /settings/reports.csv": reports.map((query) =>
      page(`/settings/reports.csv?${query}`, { tells: !query.startsWith("by=workflow") }),
    ),
    "GET /settings/alerts": [page("/settings/alerts")],
    "GET /settings/alerts/last": ["EMAIL", "WEBHOOK"].map((channel) =>
      part(`/settings/alerts/last?channel=${channel}`),
    ),
    "GET /settings/unenroll": [page("/settings/unenroll", { tells: false })],
    "GET /settings/unenroll/contact/:id": [page(`/settings/unenroll/contact/${failed}`, { other: 404 })],
    "GET /settings/help": [page("/settings/help", { tells: false })],
    "GET /settings/help/:code": [page("/settings/help/BLOCKED", { tells: false })],
    "GET /settings/danger": [page("/settings/danger", { tells: false })],
    "GET /settings/workflows": [page(`/settings/workflows?${foreign}`)],
    "GET /settings/workflows/new": [page("/settings/workflows/new", { tells: false })],
    "GET /settings/workflows/new/:recipe": ["form", "filter", "no-reply", "outcome"].map((recipe) =>
      page(`/settings/workflows/new/${recipe}?${foreign}`),
    ),
    "GET /settings/api-keys": [page("/settings/api-keys")],
    "GET /settings/access": [page("/settings/access")],
    "GET /settings/accounts": [page(ACCOUNTS, { tells: false })],
    "GET /settings/audit": [page(`/settings/audit?${foreign}`)],
    "GET /settings/policy": [page("/settings/policy")],
    "GET /settings/try": [page(`/settings/try?${foreign}`)],
  };
}

function activity(ids: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/activity";
  const foreign = `portalId=${ids.portalId}&sender=${ids.sender}&sequence=31`;
  const unknown = { other: 404 };
  return {
    [`GET ${at}`]: [page(at), page(`${at}?${foreign}`), page(`${at}?before=${ids.later + 1n}`)],
    [`GET ${at}/latest`]: [part(`${at}/latest`), part(`${at}/latest?${foreign}`)],
    [`GET ${at}/export.csv`]: [page(`${at}/export.csv`), page(`${at}/export.csv?${foreign}`)],
    [`GET ${at}/bulk`]: ["cancel", "retry", "try_now"].map((action) =>
      page(`${at}/bulk?action=${action}&sender=${ids.sender}`, { tells: false }),
    ),
    [`GET ${at}/bulk/:id`]: [page(`${at}/bulk/${ids.job}`, unknown)],
    [`GET ${at}/bulk/:id/progress`]: [part(`${at}/bulk/${ids.job}/progress`, { ...unknown, tells: false })],
    [`GET ${at}/:id`]: [page(`${at}/${ids.failed}`, unknown), page(`${at}/${ids.queued}`, unknown)],
    [`GET ${at}/:id/story`]: [part(`${at}/${ids.failed}/story`, unknown)],
    [`POST ${at}/bulk/:id/stop`]: [form(`${at}/bulk/${ids.job}/stop`)],
    [`POST ${at}/:id/:action`]: [
      form(`${at}/${ids.failed}/retry`),
      form(`${at}/${ids.later}/try_now`),
      form(`${at}/${ids.queued}/cancel`),
    ],
    [`POST ${at}/views`]: [form(`${at}/views`, { name: "Failed", status: "failed" })],
    [`POST ${at}/views/:id/delete`]: [form(`${at}/views/${ids.view}/delete`)],
    [`POST ${at}/bulk`]: [
      form(`${at}/bulk`, { action: "cancel", sender: ids.sender, portalId: ids.portalId }),
    ],
  };
}

function imports({ importId, importVersion }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/imports";
  const unknown = { other: 404 };
  const version = { version: importVersion };
  const setUp = { column_email: 0, sequence_id: 31, sender_mode: "contact_owner", ...version };
  const upload = form(at, { name: "New" });
  return {
    [`GET ${at}`]: [page(at)],
    [`GET ${at}/:id`]: [page(`${at}/${importId}`, unknown)],
    [`GET ${at}/:id/progress`]: [part(`${at}/${importId}/progress`, { ...unknown, tells: false })],
    [`GET ${at}/:id/results.csv`]: [page(`${at}/${importId}/results.csv`, unknown)],
    [`POST ${at}`]: [{ ...upload, file: "Email\na@lead.example\n" }],
    [`POST ${at}/segments`]: [form(`${at}/segments`, { segment_id: 7 }, { changes: false })],
    [`POST ${at}/close`]: [form(`${at}/close`, { close_key: "api_of-the-tests" })],
    [`POST ${at}/:id/setup`]: [form(`${at}/${importId}/setup`, setUp, unknown)],
    [`POST ${at}/:id/:verb`]: ["dry-run", "cancel"].map((verb) =>
      form(`${at}/${importId}/${verb}`, version, unknown),
    ),
    [`POST ${at}/:id/delete`]: [form(`${at}/${importId}/delete`, {}, unknown)],
  };
}

function policy(ids: RouteIds): Record<string, readonly RouteCall[]> {
  return { ...senders(ids), ...rotations(ids), ...presets(ids), ...portalPolicy(ids) };
}

function senders({ sender, senderVersion, settingsVersion }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/senders";
  return {
    [`GET ${at}`]: [page(`${at}?search=&page=1`)],
    [`GET ${at}/:userId`]: [page(`${at}/${sender}`, { other: 404 })],
    [`POST ${at}/listing`]: [
      form(`${at}/listing`, { only_listed: "yes", version: settingsVersion }, { other: 422 }),
    ],
    [`POST ${at}/:userId/clear`]: [form(`${at}/${sender}/clear`, {}, { other: 404 })],
    [`POST ${at}`]: [form(at, { user: sender, mark: "not-allowed", [`version_${sender}`]: senderVersion })],
    [`POST ${at}/:userId`]: [
      form(`${at}/${sender}`, { daily_cap: 7, version: senderVersion }, { other: 404 }),
    ],
  };
}

function rotations({ sender, rotation, rotationVersion }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/rotations";
  const members = { member: sender, [`weight_${sender}`]: 3 };
  return {
    [`GET ${at}`]: [page(at)],
    [`GET ${at}/:rotationId`]: [page(`${at}/${rotation}`, { other: 404 }), page(`${at}/new`)],
    [`POST ${at}/:rotationId`]: [
      form(`${at}/${rotation}`, { name: "Renamed", ...members, version: rotationVersion }, { other: 404 }),
      form(`${at}/new`, { name: "New", ...members, version: 0 }, { other: 422 }),
    ],
    [`POST ${at}/:rotationId/delete`]: [
      form(`${at}/${rotation}/delete`, { version: rotationVersion }, { other: 404 }),
    ],
  };
}

function presets({ sender, preset, presetVersion }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/presets";
  const mode = { sender_mode: "specific_user", sender_user_id: sender };
  const typed = (name: string, version: number) => ({
    ...presetEntryOf({ name, policy: INITIAL_POLICY }),
    ...mode,
    version,
  });
  return {
    [`GET ${at}`]: [page(at)],
    [`GET ${at}/:presetId`]: [page(`${at}/${preset}`, { other: 404 }), page(`${at}/new`)],
    [`POST ${at}/default`]: [form(`${at}/default`, { preset, instead: "", version: presetVersion })],
    [`POST ${at}/:presetId`]: [
      form(`${at}/${preset}`, typed("Renamed", presetVersion), { other: 404 }),
      form(`${at}/new`, typed("New", 0), { other: 422 }),
    ],
    [`POST ${at}/:presetId/delete`]: [
      form(`${at}/${preset}/delete`, { version: presetVersion }, { other: 404 }),
    ],
  };
}

function portalPolicy({ sender, settingsVersion }: RouteIds): Record<string, readonly RouteCall[]> {
  const fields = { default_sender: sender, max_hold_days: 20, retention_days: 90, version: settingsVersion };
  const question = {
    contact: "151",
    sequence_id: "31",
    sender_mode: "specific_user",
    sender_user_id: sender,
  };
  return {
    "POST /settings/undo": [form("/settings/undo", { key: "none" }, { changes: false })],
    "POST /settings/policy": [form("/settings/policy", fields, { other: 422 })],
    "POST /settings/try": [
      { ...form("/settings/try", question, { other: 422, changes: false }), isQuestion: true },
    ],
  };
}

function webhooks({ webhook, webhookVersion, delivery }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/settings/webhooks";
  const one = `${at}/${webhook}`;
  const typed = { url: "https://8.8.4.4/changed", events: "sender.refused" };
  const version = webhookVersion;
  const unknown = { other: 404 };
  return {
    [`GET ${at}`]: [page(at)],
    [`GET ${at}/:webhookId`]: [page(one, unknown), page(`${at}/new`, { tells: false })],
    [`GET ${at}/:webhookId/deliveries`]: [part(`${one}/deliveries`, unknown)],
    [`POST ${at}/:webhookId/test`]: [form(`${one}/test`, {}, unknown)],
    [`POST ${at}/:webhookId/deliveries/:deliveryId/again`]: [
      form(`${one}/deliveries/${delivery}/again`, {}, unknown),
    ],
    [`POST ${at}/:webhookId/secret`]: [form(`${one}/secret`, {}, { ...unknown, own: 200 })],
    [`POST ${at}/:webhookId/turn`]: [form(`${one}/turn`, { to: "off", version }, unknown)],
    [`POST ${at}/:webhookId`]: [
      form(one, { ...typed, version }, unknown),
      form(`${at}/new`, { ...typed, version: 0 }, { other: 200, own: 200 }),
    ],
    [`POST ${at}/:webhookId/delete`]: [form(`${one}/delete`, { version }, unknown)],
  };
}

function rest({
  portalId,
  failed,
  sender,
  letIn,
  viewer,
  settingsVersion,
  alertAddress,
  keyPrefix,
  madeFlow,
}: RouteIds): Record<string, readonly RouteCall[]> {
  const recipe = {
    name: "New",
    trigger: "form",
    form: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    sequence_id: "31",
    sender_mode: "contact_owner",
    key: "k",
    make: "yes",
  };
  const webhook = { webhook_url: "https://8.8.8.8/hook", failure_count: 9, version: settingsVersion };
  const confirmed = { confirmation: portalId };
  return {
    "POST /settings/default-sender": [
      // Nobody is the other account's default sender already.
      form("/settings/default-sender", { sender_user_id: "", version: settingsVersion }),
    ],
    "POST /settings/setup/hide": [form("/settings/setup/hide", {}, { changes: false })],
    "POST /settings/alerts/secret": [form("/settings/alerts/secret", {}, { own: 200 })],
    "POST /settings/alerts/ask-again": [form("/settings/alerts/ask-again", { address: alertAddress })],
    "POST /settings/alerts/test": [form("/settings/alerts/test", { channel: "EMAIL" })],
    "POST /settings/alerts": [form("/settings/alerts", webhook)],
    "POST /settings/api-keys": [
      form("/settings/api-keys", { name: "New", scopes: "enrollments:read" }, { other: 200, own: 200 }),
    ],
    "POST /settings/api-keys/revoke": [form("/settings/api-keys/revoke", { prefix: keyPrefix })],
    "POST /settings/access/let-in": [form("/settings/access/let-in", { user_id: sender, role: "viewer" })],
    "POST /settings/access/role": [form("/settings/access/role", { user_id: viewer, role: "admin" })],
    "POST /settings/access/take-out": [form("/settings/access/take-out", { user_id: letIn })],
    "POST /settings/workflows/look-again": [form("/settings/workflows/look-again", {}, { changes: false })],
    "POST /settings/workflows/new/:recipe": [
      form("/settings/workflows/new/form", recipe, { other: 422 }),
      form("/settings/workflows/new/form", { ...recipe, make: "" }, { other: 422, own: 303, changes: false }),
    ],
    "POST /settings/workflows/contacts": [
      form("/settings/workflows/contacts", { flow: "4711", contacts: "151", key: "k" }, { other: 422 }),
    ],
    "POST /settings/workflows/made/:id/delete": [
      form(`/settings/workflows/made/${madeFlow}/delete`, {}, { other: 404 }),
    ],
    "POST /settings/unenroll/on": [form("/settings/unenroll/on", {}, { changes: false })],
    "POST /settings/unenroll/off": [form("/settings/unenroll/off", {}, { changes: false })],
    "POST /settings/unenroll/check": [form("/settings/unenroll/check", {}, { changes: false })],
    "POST /settings/unenroll/contact/:id": [
      form(`/settings/unenroll/contact/${failed}`, {}, { other: 404, changes: false, own: 303 }),
    ],
    "POST /settings/danger/resume": [form("/settings/danger/resume")],
    "POST /settings/danger/pause": [form("/settings/danger/pause")],
    "POST /settings/danger/erase": [form("/settings/danger/erase", confirmed)],
    "POST /settings/danger/disconnect": [form("/settings/danger/disconnect", confirmed)],
    "POST /settings/accounts/switch": [
      form("/settings/accounts/switch", { account: portalId }, { changes: false }),
    ],
    // The last: it ends the session.
    "POST /settings/sign-out": [form("/settings/sign-out")],
  };
}
