import type { Response } from "express";
import { MessagePage, sendPage } from "#web/kit/page.js";
import { requestIdOf } from "#web/kit/request-id.js";

/** Every way a round trip to HubSpot can end other than on the settings page, with the status to answer. */
const ENDINGS = {
  denied: {
    status: 403,
    title: "Not connected",
    paragraphs: [
      "HubSpot didn't grant access: the request was declined, or you don't have permission to approve it.",
      "To install, you need to be a super admin or have App Marketplace permissions.",
    ],
  },
  expired: {
    status: 400,
    title: "This link expired",
    paragraphs: ["For security, you have 10 minutes to finish connecting.", "Please start again."],
  },
  forged: {
    status: 400,
    title: "This link isn't valid",
    paragraphs: ["It wasn't created by Sequence Enroller, or it was changed.", "Please start again."],
  },
  "wrong-browser": {
    status: 400,
    title: "Finish in the same browser",
    paragraphs: [
      "Connecting has to end in the browser where it started, with cookies allowed. A forwarded link also causes this.",
      "Please start again in this browser.",
    ],
  },
  reused: {
    status: 400,
    title: "This link was already used",
    paragraphs: [
      "If you reloaded the page, you're probably connected.",
      "Open settings to check, or start again.",
    ],
  },
  "code-refused": {
    status: 400,
    title: "HubSpot rejected the sign-in code",
    paragraphs: ["It was already used or has expired. Nothing was changed.", "Please start again."],
  },
  "not-installed": {
    status: 404,
    title: "Not installed in this account",
    paragraphs: [
      "You're signed in to HubSpot, but Sequence Enroller isn't installed in the account you chose. Signing in doesn't install it.",
      "If you meant this account, install the app in it. Otherwise sign in again and choose another account.",
    ],
  },
  "admins-only": {
    status: 403,
    title: "Only an admin can connect this account again",
    paragraphs: [
      "Sequence Enroller was removed from this account or disconnected, and only somebody who administers it here brings it back. Nothing was changed.",
      "If you are a super admin of the account, connect it below, and allow everything HubSpot asks for: otherwise we cannot tell that you are. If not, ask one.",
    ],
  },
  "unknown-return": {
    status: 400,
    title: "We didn't follow this link",
    paragraphs: ["It leads to a site that isn't HubSpot.", "To connect your account, start here."],
  },
  busy: {
    status: 503,
    title: "Try again in a minute",
    paragraphs: [
      "Too many attempts to connect failed just now, so we didn't start this one. Nothing was changed.",
      "Please reload this page in a minute.",
    ],
  },
  "hubspot-down": {
    status: 502,
    title: "HubSpot isn't responding",
    paragraphs: ["We couldn't reach HubSpot to finish connecting.", "Please start again in a minute."],
  },
  misconfigured: {
    status: 500,
    title: "Sequence Enroller has a setup problem",
    paragraphs: [
      "HubSpot isn't accepting the app's credentials. We've been notified; there's nothing you need to do.",
      "Please try again later.",
    ],
  },
} as const;

export type Ending = keyof typeof ENDINGS;

const RETRY = {
  // Knows which permissions the account gave before, if the browser is signed in to one.
  install: { href: "/settings/reconnect", label: "Start again" },
  "sign-in": { href: "/settings/sign-in", label: "Sign in again" },
} as const;

/** Tells the browser's user how it ended and what to do. Nothing of the request is repeated in the page. */
export function sendEnding(
  response: Response,
  ending: Ending,
  purpose: keyof typeof RETRY = "install",
): void {
  const { status, title, paragraphs } = ENDINGS[ending];
  if (ending === "busy") response.set("Retry-After", "60");
  const settings = { href: "/settings", label: "Open settings" };
  const retry = RETRY[purpose];
  const linksOf: Partial<Record<Ending, readonly { href: string; label: string }[]>> = {
    reused: [settings, retry],
    "not-installed": [{ href: "/oauth/install", label: "Install in this account" }, retry],
  };
  const links = linksOf[ending] ?? [retry, settings];
  sendPage(
    response,
    status,
    <MessagePage title={title} paragraphs={paragraphs} links={links} requestId={requestIdOf(response)} />,
  );
}

/** After an install that cannot be tied to this browser: it is done, but who sits here is still to be shown. */
export function sendInstalled(response: Response): void {
  const paragraphs = ["Its actions are in the workflow editor now. Sign in to finish setup."];
  const links = [{ href: "/settings/sign-in", label: "Sign in with HubSpot" }];
  sendPage(
    response,
    200,
    <MessagePage title="Sequence Enroller is installed" paragraphs={paragraphs} links={links} />,
  );
}
