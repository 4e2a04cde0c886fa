/** @jsxImportSource react */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  Alert,
  Button,
  EmptyState,
  ErrorState,
  Link,
  LoadingButton,
  LoadingSpinner,
  Select,
  StatisticsItem,
  StatusTag,
  Text,
} from "@hubspot/ui-extensions";
import { createRenderer, type RenderedChildNode } from "@hubspot/ui-extensions/testing";
import { Settings } from "../../../app-config/src/app/settings/Settings.tsx";
import {
  createSettingsApi,
  type Defaults,
  type Overview,
  type SettingsApi,
} from "../../../app-config/src/app/settings/settings-api.ts";
import type { DefaultsAnswer } from "#web/tab/defaults.js";
import type { OverviewAnswer } from "#web/tab/overview.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { seedExecutions } from "../../support/executions.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** The shapes the tab reads are the ones our side writes, in both directions: the compiler fails otherwise. */
const sent: { overview: OverviewAnswer; defaults: DefaultsAnswer } = {} as {
  overview: Overview;
  defaults: Defaults;
};
const read: { overview: Overview; defaults: Defaults } = sent;

/** All the words in a part of the tab; the library's own `text` leaves out those of nested components. */
function wordsOf({ childNodes }: { childNodes: RenderedChildNode[] }): string {
  return childNodes.map((node) => ("childNodes" in node ? wordsOf(node) : node.text)).join("");
}

/** The tab, opened by somebody; HubSpot's own test utilities stand for its page. */
function open(api: SettingsApi) {
  const tab = createRenderer("settings");
  const saved: string[] = [];
  tab.render(<Settings api={api} locale="en-GB" onSaved={(message) => void saved.push(message)} />);
  const select = (name: string) => tab.find(Select, { name });
  const waitFor = (check: () => void) => tab.waitFor(check, { timeoutInMs: 10_000 });
  return {
    ...tab,
    waitFor,
    saved,
    select,
    choose: (name: string, value: string) => {
      // The library types what a handler is given as the handler itself.
      select(name).trigger("onChange", value as never);
    },
    save: () => {
      tab.find(LoadingButton).trigger("onClick");
    },
    number: (label: string) => tab.find(StatisticsItem, { label }).props.number,
    alerts: () => tab.findAll(Alert).map((alert) => `${alert.props.title}: ${wordsOf(alert)}`),
    untilLoaded: () =>
      waitFor(() => {
        expect(tab.findAll(LoadingSpinner)).toEqual([]);
      }),
  };
}

describe("the settings tab over the real app", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator);
    await running.install(portal);
    const portalId = BigInt(portal.portalId);
    const deadlineMs = Date.now() + 60_000;
    while ((await running.db.database.prisma.user.count({ where: { portalId } })) === 0) {
      if (Date.now() > deadlineMs) throw new Error("the users were not copied");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const completed = { portalId, state: "COMPLETED", enrollmentStatus: "ENROLLED" };
    await seedExecutions(running.db.database, [
      completed,
      completed,
      { ...completed, enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED" },
    ]);
    await running.db.database.prisma.preset.create({
      data: { portalId, name: "New customers", policy: {} },
    });
  });

  afterAll(() => running.close());

  /** What `hubspot.fetch` does for whoever has the tab open. */
  const apiOf = (userId = portal.admin.userId): SettingsApi =>
    createSettingsApi({
      publicUrl: running.publicUrl,
      fetch: async (url, options) => {
        const { status, body } = await portal.hubspotFetch(url, { ...options, userId });
        return new Response(body, { status });
      },
    });

  test("shows how it goes, today's numbers and the way to the rest", async () => {
    const tab = open(apiOf());
    expect(tab.find(LoadingSpinner).props.label).toBe("Loading settings");
    await tab.untilLoaded();
    expect(tab.find(StatusTag).text).toBe("Working");
    expect(tab.alerts()).toEqual([]);
    expect(tab.number("Enrolled")).toBe(2);
    expect(tab.number("Not enrolled")).toBe(1);
    expect(tab.number("Waiting now")).toBe(0);
    const links = tab.findAll(Link).map(({ props }) => (props.href as { url: string }).url);
    expect(links).toContain(`${running.publicUrl}/settings`);
    expect(links).toContain(`${running.publicUrl}/settings/activity?code=INBOX_NOT_CONNECTED`);
    expect(tab.findAll(Text).map(wordsOf)).toContain(
      "1 contact not enrolled today: No inbox is connected for the sender.",
    );
  });

  test("pauses once it is confirmed, says so, and resumes; an admin's name stands in the audit", async () => {
    const portalId = BigInt(portal.portalId);
    const settings = () => running.db.database.prisma.portalSettings.findUnique({ where: { portalId } });
    const tab = open(apiOf());
    await tab.untilLoaded();
    const press = (label: string) => {
      const buttons = [...tab.findAll(Button), ...tab.findAll(LoadingButton)];
      const button = buttons.find((one) => wordsOf(one) === label);
      if (button === undefined) throw new Error(`there is no button ${label}`);
      button.trigger("onClick");
    };
    press("Pause enrollment");
    expect((await settings())?.pausedAt ?? null).toBeNull();
    press("Pause now");
    await tab.waitFor(() => {
      expect(tab.saved).toEqual(["Enrollment paused."]);
      expect(tab.find(StatusTag).text).toBe("Paused");
    });
    expect((await settings())?.pausedAt).toBeInstanceOf(Date);
    press("Resume enrollment");
    await tab.waitFor(() => {
      expect(tab.saved).toEqual(["Enrollment paused.", "Enrollment resumed."]);
      expect(tab.find(StatusTag).text).toBe("Working");
    });
    const audited = await running.db.database.prisma.auditEntry.findMany({
      where: { portalId, action: { in: ["PAUSED", "RESUMED"] } },
      orderBy: { id: "asc" },
    });
    expect(audited.map(({ action, userId }) => [action, Number(userId)])).toEqual([
      ["PAUSED", portal.admin.userId],
      ["RESUMED", portal.admin.userId],
    ]);
  });

  test("shows a viewer how it goes, and no button that changes it", async () => {
    const viewer = portal.addUser();
    const userId = BigInt(viewer.userId);
    await running.db.database.prisma.portalViewer.create({
      data: { portalId: BigInt(portal.portalId), userId },
    });
    const tab = open(apiOf(viewer.userId));
    await tab.untilLoaded();
    expect(tab.find(StatusTag).text).toBe("Working");
    const labels = [...tab.findAll(Button), ...tab.findAll(LoadingButton)].map(wordsOf);
    expect(labels).not.toContain("Pause enrollment");
    expect(await apiOf(viewer.userId).changePause(true)).toMatchObject({
      kind: "refused",
      code: "VIEW_ONLY",
    });
  });

  test("saves the default sender and preset, which are there when it is opened again", async () => {
    const sender = String([...portal.users.values()][1]!.userId);
    const tab = open(apiOf());
    await tab.untilLoaded();
    expect(tab.find(LoadingButton).props.disabled).toBe(true);
    expect(tab.select("preset").props.options.map(({ label }) => label)).toEqual([
      "Built-in rules",
      "New customers",
    ]);
    const preset = tab.select("preset").props.options[1]!.value as string;
    tab.choose("sender", sender);
    tab.choose("preset", preset);
    tab.save();
    await tab.waitFor(() => {
      expect(tab.saved).toEqual(["Defaults saved."]);
    });
    const again = open(apiOf());
    await again.untilLoaded();
    expect(again.select("sender").props.value).toBe(sender);
    expect(again.select("preset").props.value).toBe(preset);
  });

  test("shows what somebody else saved meanwhile instead of overwriting it", async () => {
    const [mine, theirs] = [open(apiOf()), open(apiOf())];
    await mine.untilLoaded();
    await theirs.untilLoaded();
    theirs.choose("sender", String(portal.admin.userId));
    theirs.save();
    await theirs.waitFor(() => {
      expect(theirs.saved).toHaveLength(1);
    });
    mine.choose("sender", "none");
    mine.save();
    await mine.waitFor(() => {
      expect(mine.alerts()).toEqual([
        "Not saved: Another admin changed these settings meanwhile. Check them and save again.",
      ]);
      expect(mine.select("sender").props.value).toBe(String(portal.admin.userId));
    });
    mine.choose("sender", "none");
    mine.save();
    await mine.waitFor(() => {
      expect(mine.saved).toHaveLength(1);
    });
    expect(mine.alerts()).toEqual([]);
  });

  test("tells a user who is no super admin that it is not for them", async () => {
    const seller = [...portal.users.values()].find((user) => !user.superAdmin)!;
    const tab = open(apiOf(seller.userId));
    await tab.untilLoaded();
    expect(tab.find(ErrorState).props).toMatchObject({ type: "lock", title: "For admins only" });
    expect(tab.findAll(Select)).toEqual([]);
  });
});

describe("what the settings tab says", () => {
  const overview: Overview = {
    connection: { isConnected: true, disconnectedReason: null, missingScopes: [] },
    pausedSince: null,
    trouble: null,
    today: {
      since: "2026-11-20T00:00:00.000Z",
      enrolled: 0,
      alreadyEnrolled: 0,
      skipped: 0,
      failed: 0,
      waiting: 0,
      isPartial: false,
    },
    attention: [],
    mayChange: false,
    timeZone: "Europe/Berlin",
    siteUrl: "https://enroller.example.com/settings",
  };
  const defaults: Defaults = {
    version: "0.",
    senderUserId: null,
    presetId: null,
    senders: [],
    isSendersCut: false,
    presets: [],
  };

  /** Answers as our side would, or not at all where an answer is undefined. */
  const apiAnswering = (answers: { overview?: unknown; defaults?: unknown }): SettingsApi =>
    createSettingsApi({
      publicUrl: "https://enroller.example.com",
      fetch: (url) => {
        const body = url.endsWith("/overview") ? answers.overview : answers.defaults;
        return body === undefined
          ? Promise.reject(new Error("timeout"))
          : Promise.resolve(Response.json(body));
      },
    });

  async function opened(changes: Partial<Overview>) {
    const tab = open(apiAnswering({ overview: { ...overview, ...changes }, defaults }));
    await tab.untilLoaded();
    return tab;
  }

  const disconnected = {
    isConnected: false,
    disconnectedReason: "The app was uninstalled.",
    missingScopes: [],
  };
  const trouble = {
    since: "2026-11-20T09:00:00Z",
    restsUntil: "2026-11-20T09:05:00Z",
    lastFailure: null,
    ownFault: null,
  };
  const lacking = { isConnected: true, disconnectedReason: null, missingScopes: ["automation"] };
  test.each<[string, Partial<Overview>, { word: string; sentence: string }]>([
    [
      "a disconnection",
      { connection: disconnected },
      { word: "Disconnected", sentence: "The app was uninstalled. Reinstall" },
    ],
    [
      "missing permissions",
      { connection: lacking },
      { word: "Needs permissions", sentence: "grant: automation." },
    ],
    [
      "a pause",
      { pausedSince: "2026-11-20T08:00:00Z" },
      { word: "Paused", sentence: "Since 20 Nov 2026, 09:00." },
    ],
    [
      "trouble with HubSpot",
      { trouble },
      { word: "Waiting for HubSpot", sentence: "next at 20 Nov 2026, 10:05. No contacts are lost." },
    ],
  ])("%s, in a word and with what to do", async (_what, changes, { word, sentence }) => {
    const tab = await opened(changes);
    expect(tab.find(StatusTag).text).toBe(word);
    expect(tab.alerts()).toHaveLength(1);
    expect(tab.alerts()[0]).toContain(sentence);
  });

  test("where nothing has happened yet it says how to begin", async () => {
    const tab = await opened({});
    expect(wordsOf(tab.find(EmptyState))).toContain('Add the action "Enroll in sequence"');
  });

  test("a default that can no longer be chosen is shown as such", async () => {
    const tab = open(apiAnswering({ overview, defaults: { ...defaults, senderUserId: "7" } }));
    await tab.untilLoaded();
    expect(tab.select("sender").props).toMatchObject({
      value: "7",
      options: [
        { label: "No default sender", value: "none" },
        { label: "No longer available (7)", value: "7" },
      ],
    });
  });

  test("a server that does not answer is told apart from a loss of contacts, and can be asked again", async () => {
    const answers: { overview?: unknown; defaults?: unknown } = { defaults };
    const tab = open(apiAnswering(answers));
    await tab.untilLoaded();
    expect(wordsOf(tab.find(ErrorState))).toContain("are kept and will be enrolled");
    answers.overview = overview;
    tab.find(Button).trigger("onClick");
    await tab.waitFor(() => {
      expect(tab.find(StatusTag).text).toBe("Working");
    });
  });

  test("a build without an address says who has to act", async () => {
    const fetch = () => Promise.reject(new Error("not to be called"));
    const tab = open(createSettingsApi({ publicUrl: undefined, fetch }));
    await tab.untilLoaded();
    expect(wordsOf(tab.find(ErrorState))).toContain("upload the project with a profile");
    expect(read).toBe(sent);
  });
});
