import type { Request, Response } from "express";
import type { Cookies } from "#web/kit/cookies.js";
import type { SitePath } from "./navigation.js";
import { shorten } from "#platform/text/shorten.js";

/** One sentence, shown once after a redirect. */
export interface Notice {
  readonly tone: "good" | "bad";
  readonly text: string;
  /** Where it is shown. */
  readonly page: SitePath;
  /** By which the change it is about can be taken back. */
  readonly undoKey?: string;
}

const good = (page: SitePath, text: string): Notice => ({ tone: "good", text, page });
const bad = (page: SitePath, text: string): Notice => ({ tone: "bad", text, page });

/** The cookie carries the name, and what it is about with a signature: nothing from outside is ever shown. */
const NOTICES = {
  "signed-out": bad("/settings", "Your session ended before this was saved. Sign in and try again."),
  "sender-saved": good("/settings", "Default sender is now {}."),
  "sender-saved-not-presets": bad(
    "/settings",
    "Default sender saved. Another admin changed these presets meanwhile, so they were left as they are: {}.",
  ),
  "sender-cleared": good("/settings", "Default sender removed."),
  "sender-unknown": bad("/settings", "That user isn't active in this account. Choose another user."),
  "workflows-asked": good(
    "/settings/workflows",
    "Reading your workflows from HubSpot. Reload this page in a moment.",
  ),
  "workflows-recent": bad(
    "/settings/workflows",
    "Your workflows were read less than a minute ago, or are being read now. Reload this page in a moment.",
  ),
  "flow-asked": good(
    "/settings/workflows",
    "Creating the workflow in HubSpot, turned off. Reload this page in a moment.",
  ),
  "flow-removed": good("/settings/workflows", "Removed. We're deleting what we created in HubSpot."),
  "contacts-put-in": good(
    "/settings/workflows",
    "Adding the contacts to the workflow. The result for each appears below.",
  ),
  "alerts-saved": good("/settings/alerts", "Alert settings saved. Send a test to check delivery."),
  "alerts-saved-unconfirmed": good(
    "/settings/alerts",
    "Alert settings saved. New addresses get an email with a confirmation link first; see below.",
  ),
  "confirmation-asked": good("/settings/alerts", "We're emailing the link again."),
  "confirmation-too-soon": bad(
    "/settings/alerts",
    "We just emailed the link to that address. Wait ten minutes before sending another.",
  ),
  "confirmation-too-many": bad(
    "/settings/alerts",
    "You've reached today's limit of confirmation links. Try again tomorrow.",
  ),
  "confirmation-not-needed": bad(
    "/settings/alerts",
    "That address isn't on the list, is already confirmed, or has unsubscribed.",
  ),
  "test-raised": good("/settings/alerts", "Test sent. The result appears below."),
  "test-too-soon": bad("/settings/alerts", "You just sent a test. Wait a minute before sending another."),
  "test-too-many": bad(
    "/settings/alerts",
    "You've reached the limit of 10 tests per day. Try again tomorrow.",
  ),
  "test-without-address": bad("/settings/alerts", "Add an email address or webhook first, then send a test."),
  "settings-changed": bad(
    "/settings",
    "Another admin changed these settings while you were editing. Their version is shown below.",
  ),
  "admin-let-in": good("/settings/access", "{} now has access as an admin."),
  "viewer-let-in": good("/settings/access", "{} now has access as a viewer."),
  "made-admin": good("/settings/access", "{} is an admin now."),
  "made-viewer": good("/settings/access", "{} is a viewer now."),
  "member-unknown": bad("/settings/access", "Nothing was changed: that user has no access you can change."),
  "last-admin": bad("/settings/access", "Nothing was changed: an account needs at least one admin."),
  "admin-taken-out": good("/settings/access", "{} no longer has access."),
  "admin-unknown": bad("/settings/access", "That user is inactive or already has access."),
  "admin-yourself": bad("/settings/access", "You can't change your own access. Ask another admin."),
  "unenroll-on": good("/settings/unenroll", "Turned on. We're creating the helper workflow."),
  "unenroll-off": good("/settings/unenroll", "Turned off. We're deleting what we created in HubSpot."),
  "unenroll-checked": good("/settings/unenroll", "Checking the helper workflow."),
  "unenroll-not-permitted": bad("/settings/unenroll", "Not turned on: HubSpot permissions are missing."),
  "portal-paused": good(
    "/settings/danger",
    "Enrollment paused. Contacts wait in their workflows until you resume, or until their deadline.",
  ),
  "portal-paused-until": good(
    "/settings/danger",
    "Enrollment paused until {}. Contacts wait in their workflows until then, or until their deadline.",
  ),
  "portal-resumed": good("/settings/danger", "Enrollment resumed. Waiting contacts are being enrolled."),
  "history-erased": good("/settings/danger", "Deleting the history. This takes a few seconds."),
  "connected-meanwhile": bad(
    "/settings/danger",
    "Someone reconnected the account while we were disconnecting it, so it's still connected. Disconnect again if you still want to.",
  ),
  "danger-not-confirmed": bad(
    "/settings/danger",
    "Nothing was changed. The number you entered doesn't match this account's ID.",
  ),
  "key-revoked": good("/settings/api-keys", "Key revoked. It stops working within five seconds."),
  "key-gone": bad("/settings/api-keys", "Nothing was revoked: this account has no active key like that."),
  "webhook-saved": good("/settings/webhooks", "Webhook saved."),
  "webhook-on": good("/settings/webhooks", "Webhook turned on. Events from now on are sent."),
  "webhook-off": good("/settings/webhooks", "Webhook turned off. Nothing more is sent to it."),
  "webhook-deleted": good("/settings/webhooks", "Webhook deleted."),
  "webhook-tested": good("/settings/webhooks", "Test sent. The result appears below."),
  "webhook-too-many-tests": bad(
    "/settings/webhooks",
    "You've sent too many tests in the last hour. Try again later.",
  ),
  "webhook-sent-again": good("/settings/webhooks", "Resending the message with the same ID."),
  "webhook-pending": bad("/settings/webhooks", "That message is still being delivered."),
  "webhook-is-off": bad("/settings/webhooks", "Nothing was sent: this webhook is turned off."),
  "webhook-changed": bad(
    "/settings/webhooks",
    "Someone else changed this webhook while you were editing, so your changes weren't saved. The current version is below.",
  ),
  "webhook-gone": bad("/settings/webhooks", "That message or webhook was deleted."),
  "import-setup": good("/settings/imports", "Saved. No one has been enrolled yet."),
  "import-moved": bad(
    "/settings/imports",
    "Nothing was changed: the import has already moved on. Its current status is below.",
  ),
  "import-changed": bad(
    "/settings/imports",
    "Nothing was started: another admin changed the setup. Check their version below first.",
  ),
  "segments-not-permitted": bad(
    "/settings/imports",
    "Nothing was imported: the permission to read segments is missing. Grant it below.",
  ),
  "import-deleted": good(
    "/settings/imports",
    "Deleted the file and its results. Contacts who were enrolled stay enrolled.",
  ),
  "view-saved": good("/settings/activity", "Saved view {}."),
  "view-not-savable": bad(
    "/settings/activity",
    "Not saved: give it a short name, and filter by something other than one contact.",
  ),
  "view-too-many": bad("/settings/activity", "Not saved: you can have up to 20 views. Delete one first."),
  "view-name-taken": bad("/settings/activity", "Not saved: another view is called {}."),
  "view-deleted": good("/settings/activity", "Deleted view {}."),
  "view-gone": bad("/settings/activity", "That view was already deleted."),
  "cause-snoozed": good("/settings", "Snoozed. It shows again when the time is up."),
  "cause-awake": good("/settings", "Shown under “Needs attention” again."),
  "policy-saved": good("/settings/policy", "Account defaults saved."),
  "sender-settings-saved": good("/settings/senders", "Saved {}."),
  "sender-saved-refusal-cleared": good(
    "/settings/senders",
    "Saved {}. We'll try this sender again with the next contact.",
  ),
  "anyone-sends": good("/settings/senders", "Anyone can send now, except blocked users."),
  "approved-send": good("/settings/senders", "Only approved users can send now: {}."),
  "senders-marked": good("/settings/senders", "Updated who can send."),
  "contacts-not-chosen": bad("/settings/activity", "Select at least one contact first."),
  "senders-not-chosen": bad("/settings/senders", "Select at least one sender first."),
  "refusal-cleared": good("/settings/senders", "Cleared. We'll try this sender again with the next contact."),
  "rotation-saved": good("/settings/rotations", "Saved rotation {}."),
  "rotation-deleted": good("/settings/rotations", "Deleted rotation {}."),
  "preset-saved": good("/settings/presets", "Saved preset {}. It applies to contacts from now on."),
  "preset-saved-unchecked": bad(
    "/settings/presets",
    "Saved preset {}. HubSpot didn't answer, so its property names weren't checked. Save it again later to check them.",
  ),
  "preset-deleted": good("/settings/presets", "Deleted preset {}."),
  "rotation-saved-not-days": bad(
    "/settings/rotations",
    "Rotation saved, but another admin changed {} meanwhile, so those days were left as they are. Check them there.",
  ),
  "preset-gone": bad("/settings/presets", "Another admin deleted that preset while you were editing."),
  undone: good("/settings", "Undone. Everything is as it was before."),
  "undo-changed": bad("/settings", "Not undone: it was changed again since then."),
  "undo-name-taken": bad("/settings", "Not undone: another one has that name now."),
  "undo-rotation-gone": bad("/settings", "Not undone: a rotation it uses was deleted."),
  "undo-too-late": bad("/settings", "Not undone: changes can be undone for 10 minutes."),
  "undo-unknown": bad("/settings", "There is nothing to undo."),
  "default-preset-set": good("/settings/presets", "Default preset changed to {}."),
} as const satisfies Record<string, Notice>;

export type NoticeName = keyof typeof NOTICES;

/** The page a notice belongs to. */
export function pageOf(notice: NoticeToLeave): SitePath {
  return NOTICES[typeof notice === "string" ? notice : notice.name].page;
}

/** A notice to leave; `about` names the thing it is about, in place of `{}` in its text. */
export type NoticeToLeave =
  | NoticeName
  | {
      readonly name: NoticeName;
      readonly about: string;
      /** Of a change that can be taken back; the button stands beside the notice. */
      readonly undoKey?: string;
    };

const COOKIE = "notice";
const LONGEST_ABOUT = 200;

/** Proves that a text in a cookie is our own. */
type Sign = (text: string) => string;

export interface NoticeKeeper {
  readonly cookies: Cookies;
  readonly sign: Sign;
}

export function leaveNotice(
  { cookies, sign }: NoticeKeeper,
  response: Response,
  notice: NoticeToLeave,
): void {
  const { name, about, undoKey = "" } = typeof notice === "string" ? { name: notice, about: "" } : notice;
  const text = Buffer.from(shorten(about, LONGEST_ABOUT)).toString("base64url");
  const signed = [name, text, undoKey];
  const isPlain = about === "" && undoKey === "";
  const value = isPlain ? name : [...signed, sign(signed.join(":"))].join("~");
  cookies.set(response, { name: COOKIE, value, maxAgeSeconds: 60 });
}

/** A notice that names something, or offers to take it back, is shown only if this session's form left it. */
export function takeNotice(
  { cookies, sign }: NoticeKeeper,
  request: Request,
  response: Response,
): Notice | undefined {
  const value = cookies.read(request, COOKIE);
  if (value === undefined) return undefined;
  cookies.clear(response, COOKIE);
  const [name = "", text = "", undoKey = "", signature] = value.split("~");
  if (!Object.hasOwn(NOTICES, name)) return undefined;
  const notice: Notice = NOTICES[name as NoticeName];
  if (signature === undefined) return notice.text.includes("{}") ? undefined : notice;
  if (signature !== sign([name, text, undoKey].join(":"))) return undefined;
  const about = Buffer.from(text, "base64url").toString();
  const told = { ...notice, text: notice.text.replace("{}", () => about) };
  return undoKey === "" ? told : { ...told, undoKey };
}

/** A notice is about the account whose form left it. */
export const clearNotice = (cookies: Cookies, response: Response): void => cookies.clear(response, COOKIE);
