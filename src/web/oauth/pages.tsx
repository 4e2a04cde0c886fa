import type { Response } from "express";
import { MessagePage, sendPage } from "#web/kit/page.js";
import { requestIdOf } from "#web/kit/request-id.js";

/** Every way a round trip to HubSpot can end other than on the settings page, with the status to answer. */
const ENDINGS = {
  denied: {
    status: 403,
    title: "Not connected",
    paragraphs: [
      "HubSpot did not give Sequence Enroller access. Either the request was declined, or your account or user may not grant it.",
      "You can start again at any time. Installing needs a Super Admin or a user with permission to install marketplace apps.",
    ],
  },
  expired: {
    status: 400,
    title: "This took too long",
    paragraphs: [
      "For your safety, connecting must be finished within ten minutes of starting it.",
      "Please start again.",
    ],
  },
  forged: {
    status: 400,
    title: "This link is not complete",
    paragraphs: [
      "The link that brought you here was not made by Sequence Enroller or was changed on the way.",
      "Please start again.",
    ],
  },
  "wrong-browser": {
    status: 400,
    title: "Started in another browser",
    paragraphs: [
      "Connecting must end in the browser it began in, with cookies allowed. This may also happen when a link was passed on.",
      "Please start again in this browser.",
    ],
  },
  reused: {
    status: 400,
    title: "Already used",
    paragraphs: [
      "This link has done its work: it counts once. If you reloaded the page, you are most likely connected already.",
      "Open the settings to see, or start again.",
    ],
  },
  "code-refused": {
    status: 400,
    title: "HubSpot did not accept the code",
    paragraphs: [
      "HubSpot's authorization code was used before or is too old. Nothing was changed.",
      "Please start again.",
    ],
  },
  "not-installed": {
    status: 404,
    title: "Not installed in this account",
    paragraphs: [
      "You are signed in to HubSpot, but Sequence Enroller is not installed in the account you chose. Signing in does not install it.",
      "If you meant this account, install the app in it. Otherwise sign in again and choose another account.",
    ],
  },
  "unknown-return": {
    status: 400,
    title: "This link leads elsewhere",
    paragraphs: [
      "The link asks to go on to an address that HubSpot would not have given, so it was not followed.",
      "To connect your account, start here.",
    ],
  },
  busy: {
    status: 503,
    title: "Try again in a minute",
    paragraphs: [
      "Too many attempts to connect did not succeed just now, so this one was not begun. Nothing was changed.",
      "Please reload this page in a minute.",
    ],
  },
  "hubspot-down": {
    status: 502,
    title: "HubSpot is not answering",
    paragraphs: [
      "HubSpot could not be reached just now, so connecting could not be finished.",
      "Please start again in a minute.",
    ],
  },
  misconfigured: {
    status: 500,
    title: "This app is not set up correctly",
    paragraphs: [
      "HubSpot does not accept the app's own credentials. Its operator has been told; this is nothing you can fix.",
      "Please try again later.",
    ],
  },
} as const;

export type Ending = keyof typeof ENDINGS;

const RETRY = {
  install: { href: "/oauth/install", label: "Start again" },
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
  const paragraphs = [
    "Sequence Enroller is installed. Its actions are now in the workflow editor.",
    "Sign in with HubSpot to choose a default sender and to see what happens to your contacts.",
  ];
  const links = [{ href: "/settings/sign-in", label: "Sign in with HubSpot" }];
  sendPage(response, 200, <MessagePage title="Installed" paragraphs={paragraphs} links={links} />);
}
