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
  "policy-saved": { tone: "good", text: "Policy saved." },
  "sender-settings-saved": { tone: "good", text: "Sender saved." },
  "senders-marked": { tone: "good", text: "Saved who may send." },
  "senders-not-chosen": { tone: "bad", text: "Tick the people you mean first." },
  "refusal-cleared": { tone: "good", text: "Cleared. The next contact of this sender is tried again." },
  "rotation-saved": { tone: "good", text: "Rotation saved." },
  "rotation-deleted": { tone: "good", text: "Rotation deleted." },
  "preset-saved": { tone: "good", text: "Preset saved. It applies to the next contact that comes." },
  "preset-deleted": { tone: "good", text: "Preset deleted." },
  "preset-gone": { tone: "bad", text: "Somebody else deleted that preset in the meantime." },
  "default-preset-set": {
    tone: "good",
    text: "Saved which preset applies to steps that name none.",
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
