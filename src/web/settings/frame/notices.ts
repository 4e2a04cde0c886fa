import type { Request, Response } from "express";
import type { Cookies } from "#web/kit/cookies.js";
import type { SitePath } from "./navigation.js";

/** One sentence, shown once after a redirect. */
export interface Notice {
  readonly tone: "good" | "bad";
  readonly text: string;
  /** Where it is shown. */
  readonly page: SitePath;
}

const good = (page: SitePath, text: string): Notice => ({ tone: "good", text, page });
const bad = (page: SitePath, text: string): Notice => ({ tone: "bad", text, page });

/** The cookie carries the name only: nothing from outside is ever shown. */
const NOTICES = {
  "signed-out": bad(
    "/settings",
    "You were signed out in the meantime; nothing was saved. Sign in and do it again.",
  ),
  "sender-saved": good("/settings", "Default sender saved."),
  "sender-cleared": good("/settings", "Default sender removed."),
  "sender-unknown": bad("/settings", "That user is not an active user of this account. Choose another one."),
  "workflows-asked": good(
    "/settings/workflows",
    "Your workflows are being read from HubSpot. Reload this page in a moment.",
  ),
  "workflows-recent": bad(
    "/settings/workflows",
    "The workflows were read less than a minute ago, or are being read now. Reload this page in a moment.",
  ),
  "flow-asked": good(
    "/settings/workflows",
    "The workflow is being made in HubSpot, turned off. Reload this page in a moment.",
  ),
  "flow-removed": good("/settings/workflows", "It is taken off. What was made in HubSpot is being deleted."),
  "contacts-put-in": good(
    "/settings/workflows",
    "The contacts are being put in the workflow. Below you see what becomes of each.",
  ),
  "alerts-saved": good("/settings/alerts", "Alerts saved. Send a test to be sure that they arrive."),
  "alerts-saved-unconfirmed": good(
    "/settings/alerts",
    "Alerts saved. Addresses that are not confirmed yet get a mail with a link first; see below.",
  ),
  "confirmation-asked": good("/settings/alerts", "The link is mailed again."),
  "confirmation-too-soon": bad(
    "/settings/alerts",
    "The link was mailed to that address a moment ago. Wait ten minutes before the next one.",
  ),
  "confirmation-too-many": bad(
    "/settings/alerts",
    "No more links can be mailed today, to that address or by this account. Try again tomorrow.",
  ),
  "confirmation-not-needed": bad(
    "/settings/alerts",
    "That address is not on the list, is confirmed already, or has unsubscribed.",
  ),
  "test-raised": good("/settings/alerts", "A test alert is on its way. Its outcome shows below."),
  "test-too-soon": bad(
    "/settings/alerts",
    "A test was sent a moment ago. Wait a minute before the next one.",
  ),
  "test-too-many": bad(
    "/settings/alerts",
    "Ten tests were sent within a day, which is the most. Try again tomorrow.",
  ),
  "test-without-address": bad("/settings/alerts", "Save an address for alerts first, then send a test."),
  "settings-changed": bad(
    "/settings",
    "Another admin changed the settings in the meantime. Below is their choice; change it again if you need to.",
  ),
  "admin-let-in": good("/settings/access", "Done: they can sign in to these pages now."),
  "admin-taken-out": good("/settings/access", "Done: they can no longer use these pages."),
  "admin-unknown": bad(
    "/settings/access",
    "That user is not an active user of this account, or is on the list already.",
  ),
  "admin-yourself": bad(
    "/settings/access",
    "You cannot take yourself off the list. Ask another admin to do it.",
  ),
  "unenroll-on": good("/settings/unenroll", "Switched on. The helper workflow is being made."),
  "unenroll-off": good("/settings/unenroll", "Switched off. What was made in HubSpot is being deleted."),
  "unenroll-checked": good("/settings/unenroll", "The helper workflow is being checked."),
  "unenroll-not-permitted": bad("/settings/unenroll", "Not switched on: HubSpot permissions are missing."),
  "portal-paused": good("/settings/danger", "Paused. Contacts wait in their workflows until you resume."),
  "portal-resumed": good("/settings/danger", "Resumed. Waiting contacts are enrolled from now on."),
  "history-erased": good("/settings/danger", "The history is being deleted. That takes a few seconds."),
  "connected-meanwhile": bad(
    "/settings/danger",
    "The account was connected again while HubSpot was being told, so the new connection was left as it is. Try again to end it too.",
  ),
  "danger-not-confirmed": bad(
    "/settings/danger",
    "Nothing was done: what you typed is not this account's number.",
  ),
  "key-revoked": good("/settings/api-keys", "Key revoked. It is refused everywhere within five seconds."),
  "key-gone": bad("/settings/api-keys", "Nothing was revoked: this account has no such key in force."),
  "webhook-saved": good("/settings/webhooks", "Webhook saved."),
  "webhook-on": good("/settings/webhooks", "Turned on. What happens from now on is sent."),
  "webhook-off": good("/settings/webhooks", "Turned off. Nothing is sent to it any more."),
  "webhook-deleted": good("/settings/webhooks", "Webhook deleted."),
  "webhook-tested": good(
    "/settings/webhooks",
    "A test message is on its way. What became of it shows below.",
  ),
  "webhook-too-many-tests": bad(
    "/settings/webhooks",
    "This account sent many tests within the hour. Try again later.",
  ),
  "webhook-sent-again": good("/settings/webhooks", "The message is sent again, under the same id."),
  "webhook-pending": bad("/settings/webhooks", "That message is still being delivered."),
  "webhook-is-off": bad("/settings/webhooks", "Nothing was sent: this webhook is turned off."),
  "webhook-changed": bad(
    "/settings/webhooks",
    "Somebody else changed this webhook in the meantime, so nothing was done. Below is how it stands now.",
  ),
  "webhook-gone": bad("/settings/webhooks", "That message or webhook is no longer there."),
  "import-setup": good("/settings/imports", "Saved. Nobody has been enrolled yet."),
  "import-moved": bad(
    "/settings/imports",
    "Nothing was done: the import has moved on in the meantime. Below is how it stands.",
  ),
  "import-changed": bad(
    "/settings/imports",
    "Nothing was started: another admin set the import up in another way. Below is their choice; look at it first.",
  ),
  "segments-not-permitted": bad(
    "/settings/imports",
    "Nothing was imported: the permission to read segments is missing. Give it below.",
  ),
  "import-deleted": good(
    "/settings/imports",
    "The file and its results are deleted. Who was enrolled stays enrolled.",
  ),
  "policy-saved": good("/settings/policy", "Policy saved."),
  "sender-settings-saved": good("/settings/senders", "Sender saved."),
  "sender-saved-refusal-cleared": good(
    "/settings/senders",
    "Sender saved, and HubSpot's refusal cleared: the next contact of this sender is tried again.",
  ),
  "senders-marked": good("/settings/senders", "Saved who may send."),
  "senders-not-chosen": bad("/settings/senders", "Tick the people you mean first."),
  "refusal-cleared": good("/settings/senders", "Cleared. The next contact of this sender is tried again."),
  "rotation-saved": good("/settings/rotations", "Rotation saved."),
  "rotation-deleted": good("/settings/rotations", "Rotation deleted."),
  "preset-saved": good("/settings/presets", "Preset saved. It applies to the next contact that comes."),
  "preset-deleted": good("/settings/presets", "Preset deleted."),
  "preset-gone": bad("/settings/presets", "Another admin deleted that preset in the meantime."),
  "default-preset-set": good("/settings/presets", "Saved which preset applies to steps that name none."),
} as const satisfies Record<string, Notice>;

export type NoticeName = keyof typeof NOTICES;

/** The page a notice belongs to. */
export function pageOf(name: NoticeName): SitePath {
  return NOTICES[name].page;
}

const COOKIE = "notice";

export function leaveNotice(cookies: Cookies, response: Response, name: NoticeName): void {
  cookies.set(response, { name: COOKIE, value: name, maxAgeSeconds: 60 });
}

export function takeNotice(cookies: Cookies, request: Request, response: Response): Notice | undefined {
  const name = cookies.read(request, COOKIE);
  if (name === undefined) return undefined;
  cookies.clear(response, COOKIE);
  return Object.hasOwn(NOTICES, name) ? NOTICES[name as NoticeName] : undefined;
}
