import { describe, expect, test } from "@jest/globals";
import { Closers } from "../../../src/compose/closers.js";
import { createFoundation } from "../../../src/compose/foundation.js";
import { createLogger } from "#platform/observability/logger.js";
import { createHttp } from "../../../src/compose/web.js";
import { createBrowser } from "../../support/browser.js";
import { routesOf } from "../../support/routes.js";
import { ACCOUNTS, settingsRoutes } from "../../support/settings-routes.js";
import {
  SECRET,
  running,
  portal,
  other,
  unlisted,
  viewer,
  firstAccount,
  idsNow,
  rowsOf,
  auditedActs,
  decidedRows,
  signIn,
  tokenOf,
  callsOf,
  reads,
  forms,
  postForm,
  tabCalls,
  ask,
  pathOf,
  useTwoAccounts,
} from "../../support/two-accounts.js";

useTwoAccounts();

test("every route below /settings and /hubspot/settings is in the table of this test", async () => {
  const closers = new Closers();
  const logger = createLogger({ level: "silent" });
  const { config } = running;
  try {
    const foundation = await createFoundation({ config, logger }, closers);
    closers.add(() => foundation.queue.stop({ graceMs: 1_000 }));
    const http = createHttp(foundation);
    const served = routesOf(http).filter((route) => /^\S+ (?:\/hubspot)?\/settings(?:\/|$)/.test(route));
    const known = Object.keys(settingsRoutes(await idsNow()));
    const unknown = served.filter((route) => !known.includes(route));
    expect(
      unknown.map(
        (route) => `${route}: add it to test/support/settings-routes.ts, with a call that names ids`,
      ),
    ).toEqual([]);
    expect(known.filter((route) => !served.includes(route))).toEqual([]);
  } finally {
    await closers.run(logger);
  }
});

test("the account's own admin meets its names where the table says so, or the looks below would find nothing", async () => {
  const admin = await signIn(portal);
  for (const { path, tells } of await reads()) {
    const { status, text } = await admin.get(path);
    expect([path, status, tells && !text.includes(SECRET)]).toEqual([path, 200, false]);
  }
});

describe("a stranger", () => {
  test("is asked to sign in, sees nothing and changes nothing", async () => {
    const before = await rowsOf(null);
    for (const { path, kind } of await reads()) {
      const { status, text } = await createBrowser(running.publicUrl).get(path);
      const isAsked = kind === "part" ? text === "" : text.includes('href="/settings/sign-in"');
      expect([path, status, isAsked, text.includes(SECRET)]).toEqual([path, 401, true, false]);
    }
    for (const call of await forms()) {
      const { status, location } = await postForm(createBrowser(running.publicUrl), call);
      expect([call.path, status, pathOf(location)]).toEqual([call.path, 303, "/settings"]);
    }
    for (const { path, status } of await callsOf("open")) {
      const answer = await createBrowser(running.publicUrl).get(path);
      expect([path, answer.status, answer.text.includes(SECRET)]).toEqual([path, status, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });

  test("is refused by the tab inside HubSpot", async () => {
    const before = await rowsOf(null);
    for (const call of await tabCalls()) {
      const { status, body } = await ask(portal, call, { signing: {} });
      expect([call[1].path, status, body.includes(SECRET)]).toEqual([call[1].path, 401, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });
});

describe("another account's admin", () => {
  test("sees nothing of the account, whatever the address names", async () => {
    const admin = await signIn(other);
    for (const call of await reads()) {
      const { status, text } = await admin.get(call.path);
      expect([call.path, status, text.includes(SECRET)]).toEqual([call.path, call.other, false]);
    }
  });

  test("changes nothing of the account with forms of their own", async () => {
    const admin = await signIn(other);
    const token = await tokenOf(admin);
    const before = await rowsOf(firstAccount());
    for (const call of await forms()) {
      const { status, text } = await postForm(admin, call, token);
      expect([call.path, status, text.includes(SECRET)]).toEqual([call.path, call.other, false]);
      expect([call.path, await rowsOf(firstAccount())]).toEqual([call.path, before]);
    }
  });

  test("sees and changes nothing of the account in the tab inside HubSpot", async () => {
    const before = await rowsOf(firstAccount());
    const { body: own } = await other.hubspotFetch(`${running.publicUrl}/hubspot/settings/defaults`);
    const { version } = JSON.parse(own) as { version: string };
    for (const [method, call] of await tabCalls()) {
      // With the version of their own account: nothing but what is named in it keeps the change from being saved.
      const change = call.body === undefined ? call : { ...call, body: { ...call.body, version } };
      const { status, body } = await ask(other, [method, change]);
      expect([call.path, status, body.includes(SECRET)]).toEqual([call.path, call.other, false]);
    }
    expect(await rowsOf(firstAccount())).toEqual(before);
  });
});

describe("a user of the account whom nobody let in", () => {
  test("sees who can let them in, and nothing else", async () => {
    const user = await signIn(portal, unlisted);
    for (const { path, kind } of await reads()) {
      if (path === ACCOUNTS) continue;
      const { status, text } = await user.get(path);
      const isTold = kind === "part" ? text === "" : text.includes("You don't have access");
      const expected = [path, kind === "part" ? 401 : 403, true, false];
      expect([path, status, isTold, text.includes(SECRET)]).toEqual(expected);
    }
  });

  test("changes nothing, though the forms carry their own token", async () => {
    const user = await signIn(portal, unlisted);
    const token = await tokenOf(user);
    const before = await rowsOf(null);
    for (const call of await forms()) {
      const { status, location } = await postForm(user, call, token);
      expect([call.path, status, pathOf(location)]).toEqual([call.path, 303, "/settings"]);
      // That they left is theirs to do, and stands in the audit.
      if (call.path !== "/settings/sign-out")
        expect([call.path, await rowsOf(null)]).toEqual([call.path, before]);
    }
  });

  test("is refused by the tab inside HubSpot", async () => {
    const before = await rowsOf(null);
    for (const call of await tabCalls()) {
      const { status, body } = await ask(portal, call, { userId: unlisted });
      // A portal named beside HubSpot's own is refused before anybody asks who it is.
      const expected = call[1].path.includes("?") ? 400 : 403;
      expect([call[1].path, status, body.includes(SECRET)]).toEqual([call[1].path, expected, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });
});

describe("a viewer", () => {
  test("sees all that an admin sees, and is told on each page that they may change nothing", async () => {
    const user = await signIn(portal, viewer);
    for (const { path, kind, tells } of await reads()) {
      const { status, text } = await user.get(path);
      expect([path, status, tells && !text.includes(SECRET)]).toEqual([path, 200, false]);
      const isSitePage = kind === "page" && text.includes('class="site"');
      expect([path, isSitePage && !text.includes("You have view-only access")]).toEqual([path, false]);
      expect([path, usableForms(text)]).toEqual([path, []]);
    }
  });

  test("changes nothing, though the forms carry their own token", async () => {
    const user = await signIn(portal, viewer);
    const token = await tokenOf(user);
    const before = await decidedRows();
    for (const call of await forms()) {
      if (call.path === "/settings/sign-out") continue;
      const { status, text } = await postForm(user, call, token);
      const isAsked = call.isQuestion === true || call.path.startsWith(ACCOUNTS);
      const isTold = text.includes("You have view-only access");
      expect([call.path, isAsked || (status === 403 && isTold)]).toEqual([call.path, true]);
      expect([call.path, await decidedRows()]).toEqual([call.path, before]);
    }
  });

  test("looks at the tab inside HubSpot, and changes nothing there", async () => {
    const before = await rowsOf(null);
    for (const call of await tabCalls()) {
      const { status, body } = await ask(portal, call, { userId: viewer });
      const expected = call[1].path.includes("?") ? 400 : call[0] === "GET" ? 200 : 403;
      expect([call[1].path, status]).toEqual([call[1].path, expected]);
      expect([call[1].path, expected === 403 && !body.includes("VIEW_ONLY")]).toEqual([call[1].path, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });
});

/** The addresses of a page's forms that post and whose fields can be used, but for those that change nothing. */
function usableForms(page: string): string[] {
  return [...page.matchAll(/<form method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/gs)].flatMap(
    ([, action = "", fields = ""]) => {
      const isQuestion = ["/settings/try", "/settings/sign-out", "/settings/accounts/switch"].includes(
        action,
      );
      return isQuestion || /<fieldset[^>]* disabled/.test(fields) ? [] : [action];
    },
  );
}

test("a form is refused, and changes nothing, without the token of the very session that sends it", async () => {
  const admin = await signIn(portal);
  const own = await tokenOf(admin);
  const strange = [
    undefined,
    "",
    `${own}x`,
    await tokenOf(await signIn(portal)),
    await tokenOf(await signIn(portal, unlisted)),
    await tokenOf(await signIn(other)),
  ];
  const before = await rowsOf(null);
  for (const call of await forms()) {
    for (const token of strange) {
      const { status, text } = await postForm(admin, call, token);
      const isTold = text.includes("This form has expired");
      expect([call.path, token, status, isTold]).toEqual([call.path, token, 403, true]);
    }
    // Only the body counts: an address with the token may stand in a log, or come from another site.
    const { status } = await postForm(admin, { ...call, path: `${call.path}?form_token=${own}` });
    expect([call.path, status]).toEqual([call.path, 403]);
    expect([call.path, await rowsOf(null)]).toEqual([call.path, before]);
  }
  expect((await admin.get("/settings")).status).toBe(200);
});

/** The last, as it changes what the others look at: without it, forms that nobody could save would pass them all. */
test("the same forms do change something where the account's own admin sends them, with an entry in the audit", async () => {
  const admin = await signIn(portal);
  const token = await tokenOf(admin);
  const count = (await forms()).length;
  for (let index = 0; index < count; index += 1) {
    // Each save changes a version that a later form has to name.
    const call = (await forms())[index];
    if (call === undefined) throw new Error("the table grew meanwhile");
    const [before, audited] = [await decidedRows(), await auditedActs()];
    const { status } = await postForm(admin, call, token);
    expect([call.path, status]).toEqual([
      call.path,
      call.own ?? (call.changes || call.other === 303 ? 303 : 200),
    ]);
    const isChanged = (await decidedRows()) !== before;
    expect([call.path, isChanged]).toEqual([call.path, call.changes]);
    const isAudited = (await auditedActs()) > audited;
    expect([call.path, isAudited]).toEqual([call.path, call.changes]);
  }
});
