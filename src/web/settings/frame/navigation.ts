/** Pages of the settings site, in the order of its menu, what each is called there, and the group it stands in. */
export const SITE_PAGES = [
  { path: "/settings", label: "Overview", group: "Monitor" },
  { path: "/settings/activity", label: "Activity", group: "Monitor" },
  { path: "/settings/reports", label: "Reports", group: "Monitor" },
  { path: "/settings/workflows", label: "Workflows", group: "Monitor" },
  { path: "/settings/senders", label: "Senders", group: "Sending rules" },
  { path: "/settings/rotations", label: "Rotations", group: "Sending rules" },
  { path: "/settings/presets", label: "Presets", group: "Sending rules" },
  { path: "/settings/policy", label: "Account defaults", group: "Sending rules" },
  { path: "/settings/unenroll", label: "Unenroll", group: "Sending rules" },
  { path: "/settings/try", label: "Test a contact", group: "Sending rules" },
  { path: "/settings/imports", label: "Imports", group: "Integrations" },
  { path: "/settings/api-keys", label: "API keys", group: "Integrations" },
  { path: "/settings/webhooks", label: "Webhooks", group: "Integrations" },
  { path: "/settings/alerts", label: "Alerts", group: "Account" },
  { path: "/settings/access", label: "Users and access", group: "Account" },
  { path: "/settings/audit", label: "Audit log", group: "Account" },
  { path: "/settings/danger", label: "Connection and data", group: "Account" },
  { path: "/settings/help", label: "Help", group: "Account" },
] as const;

type SitePageEntry = (typeof SITE_PAGES)[number];
export type SitePath = SitePageEntry["path"];

/** The pages by the heading they stand under. */
export const MENU_GROUPS: readonly { heading: string; pages: readonly SitePageEntry[] }[] = [
  ...new Set(SITE_PAGES.map(({ group }) => group)),
].map((heading) => ({ heading, pages: SITE_PAGES.filter(({ group }) => group === heading) }));

/** A page of the menu as the way up from one below it. */
export function pageAt(path: SitePath): SitePageEntry {
  return SITE_PAGES.find((page) => page.path === path) ?? SITE_PAGES[0];
}

/** In which a page's parts name the account that the page is of. */
export const PAGE_ACCOUNT_HEADER = "X-Page-Account";

/** Where somebody who is signed in to several accounts goes from one to another. */
export const ACCOUNTS_PATH = "/settings/accounts";

/** Takes the change back that a notice offered to. */
export const UNDO_PATH = "/settings/undo";
