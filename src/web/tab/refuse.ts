import type { Response } from "express";

/**
 * Why the settings tab gets no data: a status, a stable code that the tab decides by, and a sentence it shows. Rows of
 * docs/errors.md.
 */
export const TAB_REFUSALS = {
  IDENTITY_UNREADABLE: [400, "HubSpot did not say who is asking. Reload the page."],
  INVALID_BODY: [400, "The change was not understood. Reload the page and try again."],
  OTHER_APP: [403, "This tab belongs to another app than the one that answers. Ask whoever runs the app."],
  NOT_AN_ADMIN: [
    403,
    "Only super admins of this account, and whom they let in, can see and change the app's settings. Ask one of them to let you in, on the settings site under Access.",
  ],
  VIEW_ONLY: [403, "You can look at the app's settings but not change them. Ask an admin of this account."],
  NOT_INSTALLED: [404, "The app is not installed in this account. Install it again."],
  ADMINS_UNCONFIRMED: [
    503,
    "HubSpot has not told us for more than a day who the admins of this account are, so we are asking it now. Save again in a minute.",
  ],
  CHANGED_MEANWHILE: [409, "Another admin changed these settings meanwhile. Check them and save again."],
  UNKNOWN_SENDER: [422, "This user is no longer active. Choose another sender."],
  UNKNOWN_PRESET: [422, "This preset no longer exists. Choose another one."],
  TOO_MANY_REQUESTS: [429, "Many requests of this account are under way. Try again in a few seconds."],
} as const satisfies Record<string, readonly [number, string]>;

export type RefusalCode = keyof typeof TAB_REFUSALS;

export function refuse(response: Response, code: RefusalCode): void {
  const [status, message] = TAB_REFUSALS[code];
  response.status(status).json({ code, message });
}
