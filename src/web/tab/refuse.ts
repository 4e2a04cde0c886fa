import type { Response } from "express";

/**
 * Why the settings tab gets no data: a status, a stable code that the tab decides by, and a sentence it shows. Rows of
 * docs/errors.md.
 */
export const TAB_REFUSALS = {
  IDENTITY_UNREADABLE: [400, "HubSpot didn't say who you are. Reload the page."],
  INVALID_BODY: [400, "We couldn't read that change. Reload the page and try again."],
  OTHER_APP: [403, "This tab belongs to a different app. Ask whoever runs the app."],
  NOT_AN_ADMIN: [
    403,
    "Only super admins and users they've added can change these settings. Ask a super admin to add you.",
  ],
  VIEW_ONLY: [403, "You can view these settings but not change them. Ask an admin of this account."],
  NOT_INSTALLED: [404, "Sequence Enroller isn't installed in this account. Reinstall it."],
  ADMINS_UNCONFIRMED: [
    503,
    "We haven't been able to confirm this account's admins for more than a day, so we're checking with HubSpot now. Save again in a minute.",
  ],
  CHANGED_MEANWHILE: [409, "Another admin changed these settings meanwhile. Check them and save again."],
  UNKNOWN_SENDER: [422, "This user is no longer active. Choose another sender."],
  UNKNOWN_PRESET: [422, "This preset was deleted. Choose another one."],
  TOO_MANY_REQUESTS: [429, "This account has many requests in progress. Try again in a few seconds."],
} as const satisfies Record<string, readonly [number, string]>;

export type RefusalCode = keyof typeof TAB_REFUSALS;

export function refuse(response: Response, code: RefusalCode): void {
  const [status, message] = TAB_REFUSALS[code];
  response.status(status).json({ code, message });
}
