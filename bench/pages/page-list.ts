import type { Pool } from "pg";
import { SITE_PAGES } from "#web/settings/frame/navigation.js";

/** Every page to be measured, by a name that stays: its address, of a portal that has something of everything. */
export async function pageList(pool: Pool, portalId: number): Promise<Record<string, string>> {
  const id = await idsOf(pool, portalId);
  const pages = { ...overviews(), ...activity(id), ...reports(), ...policy(id), ...others() };
  const addresses = Object.values(pages).map((address) => address.replace(/\?.*$/, ""));
  const missing = SITE_PAGES.filter(({ path }) => !addresses.includes(path));
  if (missing.length > 0)
    throw new Error(
      `Pages of the menu that bench/pages/page-list.ts does not name: ${missing.map(({ path }) => path).join(", ")}`,
    );
  return pages;
}

interface Ids {
  readonly failed: string;
  readonly middle: string;
  readonly job: string;
  readonly sender: string;
  readonly rotation: string;
  readonly preset: string;
}

async function idsOf(pool: Pool, portalId: number): Promise<Ids> {
  const { rows } = await pool.query<Ids>(
    `SELECT (SELECT id FROM executions WHERE portal_id = $1 AND enrollment_status = 'FAILED' ORDER BY id DESC OFFSET 50 LIMIT 1) AS failed,
            (SELECT id FROM executions WHERE portal_id = $1 ORDER BY id DESC OFFSET 50000 LIMIT 1) AS middle,
            (SELECT max(id) FROM bulk_jobs WHERE portal_id = $1) AS job,
            (SELECT min(user_id) FROM senders JOIN users USING (portal_id, user_id) WHERE portal_id = $1) AS sender,
            (SELECT min(rotation_id) FROM rotations WHERE portal_id = $1) AS rotation,
            (SELECT min(preset_id) FROM presets WHERE portal_id = $1) AS preset`,
    [portalId],
  );
  const [ids] = rows;
  if (ids === undefined || Object.values(ids).includes(null))
    throw new Error("the portal of the bench lacks something");
  return ids;
}

const overviews = (): Record<string, string> => ({
  overview: "/settings",
  "overview-7d": "/settings?range=7d",
  "overview-30d": "/settings?range=30d",
  "overview-waiting": "/settings/waiting",
});

function activity({ failed, middle, job, sender }: Ids): Record<string, string> {
  const at = "/settings/activity";
  return {
    activity: at,
    "activity-latest": `${at}/latest`,
    "activity-deep": `${at}?before=${middle}`,
    "activity-waiting": `${at}?status=waiting`,
    "activity-failed": `${at}?status=failed`,
    "activity-reason": `${at}?code=INBOX_NOT_CONNECTED&since=24h`,
    "activity-sender": `${at}?sender=${sender}&sequence=701&workflow=7001`,
    "activity-nothing": `${at}?sequence=999`,
    "activity-search": `${at}?q=ada.king77`,
    "activity-search-name": `${at}?q=number+77123`,
    "activity-search-part": `${at}?q=king4711`,
    "activity-search-usual": `${at}?q=king`,
    "activity-search-list": `${at}?q=ada.king77%40example.com+ada.king78%40example.com+nobody%40example.com`,
    "activity-domain": `${at}?q=%40nowhere.example`,
    story: `${at}/${failed}`,
    "activity-workflow-yesterday": `${at}?workflow=7001&since=yesterday`,
    "bulk-question": `${at}/bulk?action=retry`,
    "bulk-job": `${at}/bulk/${job}`,
  };
}

function reports(): Record<string, string> {
  const pages: Record<string, string> = {
    reports: "/settings/reports",
    "reports-file": "/settings/reports.csv?by=sequence&range=90d",
  };
  for (const by of ["sequence", "sender", "workflow", "week"])
    for (const range of ["30d", "90d"])
      pages[`reports-${by}-${range}`] = `/settings/reports?by=${by}&range=${range}`;
  return pages;
}

const policy = ({ sender, rotation, preset }: Ids): Record<string, string> => ({
  senders: "/settings/senders",
  "senders-search": "/settings/senders?search=number&page=2",
  sender: `/settings/senders/${sender}`,
  rotations: "/settings/rotations",
  rotation: `/settings/rotations/${rotation}`,
  presets: "/settings/presets",
  preset: `/settings/presets/${preset}`,
  policy: "/settings/policy",
  try: "/settings/try",
  imports: "/settings/imports",
});

const others = (): Record<string, string> => ({
  workflows: "/settings/workflows",
  recipes: "/settings/workflows/new",
  help: "/settings/help",
  "help-reason": "/settings/help/INBOX_NOT_CONNECTED",
  unenroll: "/settings/unenroll",
  "api-keys": "/settings/api-keys",
  webhooks: "/settings/webhooks",
  alerts: "/settings/alerts",
  access: "/settings/access",
  audit: "/settings/audit",
  danger: "/settings/danger",
  "tab-overview": "/hubspot/settings/overview",
  "tab-defaults": "/hubspot/settings/defaults",
});
