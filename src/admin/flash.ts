import type { Request, Response } from "express";
import type { Cookies } from "../http/cookies.js";

/** Sentences shown once after a redirect. The cookie carries the name only: nothing from outside is ever shown. */
const NOTICES = {
  "sender-saved": { tone: "good", text: "Default sender saved." },
  "sender-cleared": { tone: "good", text: "Default sender removed." },
  "sender-unknown": {
    tone: "bad",
    text: "That user is not an active user of this account. Choose another one.",
  },
  "alerts-saved": { tone: "good", text: "Alerts will be posted to this address. Send a test to be sure." },
  "alerts-cleared": { tone: "good", text: "Alerts are off: nothing will be posted." },
  "test-raised": { tone: "good", text: "A test alert is on its way. Its outcome shows under Alerts." },
  "test-without-address": { tone: "bad", text: "Save an address for alerts first, then send a test." },
  "settings-changed": {
    tone: "bad",
    text: "Somebody else changed the settings in the meantime. Below is their choice; change it again if you need to.",
  },
} as const;

export type NoticeName = keyof typeof NOTICES;
export type Notice = (typeof NOTICES)[NoticeName];

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
