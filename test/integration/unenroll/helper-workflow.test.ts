import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { HELPER_NAME, STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import type { SetupProblem } from "#domain/unenroll/setup.js";
import { hiddenField } from "../../support/browser.js";
import { startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

let stage: UnenrollStage;

beforeAll(async () => {
  stage = await startUnenrollStage();
});

afterAll(() => stage.close());

const helpers = () => stage.portal.flows.all().filter(({ name }) => name === HELPER_NAME);
const pool = () => stage.running.db.database.pool;
const visible = (page: string): string => page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
const pageText = async (): Promise<string> => visible((await stage.browser.get("/settings/unenroll")).text);

async function press(path: string, fields: Record<string, string> = {}): Promise<void> {
  const form_token = hiddenField((await stage.browser.get("/settings/danger")).text, "form_token");
  await stage.browser.post(path, { form_token, ...fields });
}

function helper() {
  const found = helpers().at(-1);
  if (found === undefined) throw new Error("there is no helper workflow");
  return found;
}

const change = (changes: object): void => {
  stage.portal.flows.replace(helper(), { ...helper(), ...changes }, Date.now());
};

async function alerted(): Promise<string[]> {
  const { rows } = await pool().query<{ message: string }>(
    "SELECT DISTINCT message FROM alerts WHERE kind = 'UNENROLL_BROKEN' ORDER BY message",
  );
  return rows.map(({ message }) => message);
}

/** A step “Unenroll from sequence”, once our last look at the helper workflow is old. */
async function outcomeOfStep(): Promise<string | undefined> {
  await pool().query("UPDATE unenroll_setups SET checked_at = now() - interval '2 minutes'");
  const contactId = stage.enrolledContact();
  const { outcome } = await stage.outputsOf(stage.unenroll([contactId]));
  expect(stage.isStamped(contactId)).toBe(false);
  return outcome;
}

describe("a helper workflow that a person", () => {
  beforeEach(async () => {
    await pool().query("DELETE FROM alerts");
    await pool().query("DELETE FROM alert_marks");
    await stage.switchOn();
  });

  afterEach(async () => {
    await press("/settings/unenroll/off");
    await stage.until(async () => (await stage.setup()) === undefined, "the removal");
    for (const flow of helpers()) stage.portal.flows.remove(flow.id);
  });

  const DEEDS: [what: string, deed: { problem: SetupProblem; told: RegExp; done: () => void }][] = [
    [
      "turned off",
      {
        problem: "DISABLED",
        told: /turned off the helper workflow/,
        done: () => change({ isEnabled: false }),
      },
    ],
    [
      "gave another step",
      {
        problem: "CHANGED",
        told: /changed the helper workflow/,
        done: () => change({ actions: [...helper().actions, { ...helper().actions[0], actionId: "2" }] }),
      },
    ],
    [
      "deleted",
      {
        problem: "DELETED",
        told: /deleted the helper workflow/,
        done: () => stage.portal.flows.remove(helper().id),
      },
    ],
    [
      "left without its property",
      {
        problem: "NO_PROPERTY",
        told: /deleted the contact property/,
        done: () => stage.portal.contactProperties.archive(STAMP_PROPERTY),
      },
    ],
  ];

  test.each(DEEDS)(
    "%s is not used, told on the page and in an alert, and left as it is",
    async (_what, { problem, told, done }) => {
      done();
      const [before, properties] = [
        JSON.stringify(helpers()),
        stage.portal.contactProperties.find(STAMP_PROPERTY),
      ];
      expect(await outcomeOfStep()).toBe("NOT_SUPPORTED");
      expect(await stage.setup()).toMatchObject({ state: "ON", problem });
      expect(await pageText()).toMatch(new RegExp(`Not working.*${told.source}`));
      expect(await alerted()).toEqual([expect.stringMatching(told)]);
      expect([JSON.stringify(helpers()), stage.portal.contactProperties.find(STAMP_PROPERTY)]).toEqual([
        before,
        properties,
      ]);
    },
  );

  test("cannot be started without the permission, which is told, and given again in HubSpot", async () => {
    stage.portal.withdrawScopes(["crm.objects.contacts.write"]);
    expect(await outcomeOfStep()).toBe("NOT_SUPPORTED");
    expect(await stage.setup()).toMatchObject({ state: "ON", problem: "NO_PERMISSION" });
    expect(await alerted()).toEqual([expect.stringContaining("doesn't let us write to contacts")]);
    await stage.running.install(stage.portal, "unenroll");
    await press("/settings/unenroll/check");
    await stage.until(async () => (await stage.setup())?.problem === undefined, "the check");
    expect(await outcomeOfStep()).toBe("UNENROLLED");
  });

  test("turned on again is used again, once an admin has it checked", async () => {
    change({ isEnabled: false });
    expect(await outcomeOfStep()).toBe("NOT_SUPPORTED");
    change({ isEnabled: true });
    await press("/settings/unenroll/check");
    await stage.until(async () => (await stage.setup())?.problem === undefined, "the check");
    expect(await outcomeOfStep()).toBe("UNENROLLED");
  });

  test("changed stays, with its property, when an admin has a new one made and when it is switched off", async () => {
    const name = "Mine now";
    change({ name, timeWindows: [{ day: "MONDAY" }] });
    expect(await outcomeOfStep()).toBe("NOT_SUPPORTED");
    await press("/settings/unenroll/on");
    await stage.until(
      async () => (await stage.setup())?.state === "ON" && helpers().length === 1,
      "a new one",
    );
    expect(await outcomeOfStep()).toBe("UNENROLLED");
    expect(stage.portal.flows.all().some((flow) => flow.name === name)).toBe(true);
  });
});

describe("what was made in HubSpot", () => {
  test("goes when it is switched off, but not before the contacts under way are done", async () => {
    await stage.switchOn();
    const contactId = stage.enrolledContact();
    const run = stage.unenroll([contactId]);
    await stage.until(() => stage.isStamped(contactId), "the stamp");
    await press("/settings/unenroll/off");
    expect(await stage.outputsOf(run)).toMatchObject({ outcome: "UNENROLLED" });
    await stage.until(async () => (await stage.setup()) === undefined, "the removal");
    expect([helpers(), stage.portal.contactProperties.find(STAMP_PROPERTY)]).toEqual([[], undefined]);
  });

  test("goes with a disconnect on the settings pages, while the app still has access", async () => {
    await stage.switchOn();
    await press("/settings/danger/disconnect", { confirmation: String(stage.portal.portalId) });
    expect([helpers(), stage.portal.contactProperties.find(STAMP_PROPERTY)]).toEqual([[], undefined]);
    expect(await stage.setup()).toMatchObject({ state: "REMOVING" });
  });
});
