/** Pages of the settings site, in the order of its menu, and what each is called there. */
export const SITE_PAGES = [
  { path: "/settings", label: "Overview" },
  { path: "/settings/activity", label: "Activity" },
  { path: "/settings/reports", label: "Reports" },
  { path: "/settings/workflows", label: "Workflows" },
  { path: "/settings/senders", label: "Senders" },
  { path: "/settings/rotations", label: "Rotations" },
  { path: "/settings/presets", label: "Presets" },
  { path: "/settings/policy", label: "Account defaults" },
  { path: "/settings/unenroll", label: "Unenroll" },
  { path: "/settings/try", label: "Test a contact" },
  { path: "/settings/imports", label: "Imports" },
  { path: "/settings/alerts", label: "Alerts" },
  { path: "/settings/api-keys", label: "API keys" },
  { path: "/settings/webhooks", label: "Webhooks" },
  { path: "/settings/access", label: "Users and access" },
  { path: "/settings/audit", label: "Audit log" },
  { path: "/settings/danger", label: "Connection and data" },
] as const;

export type SitePath = (typeof SITE_PAGES)[number]["path"];

/** In which a page's parts name the account that the page is of. */
export const PAGE_ACCOUNT_HEADER = "X-Page-Account";

/** Where somebody who is signed in to several accounts goes from one to another. */
export const ACCOUNTS_PATH = "/settings/accounts";

/** Takes the change back that a notice offered to. */
export const UNDO_PATH = "/settings/undo";
