import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  ENROLL_ROUTE,
  REQUESTED_PROPERTIES,
  SENDER_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let browser: Browser;
let ids: number[];

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator, { users: 12, sequences: 1, contacts: 8 });
  browser = await running.install(portal);
  ids = portal.senders.map(({ userId }) => userId).filter((id) => id !== portal.admin.userId);
  const where = { portalId: BigInt(portal.portalId) };
  while (
    (await running.db.database.prisma.portal.findUniqueOrThrow({ where })).directorySyncedAt === null ||
    (await running.db.database.prisma.portal.findUniqueOrThrow({ where })).usersReadAt === null
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
});

afterAll(() => running.close());

const sql = (text: string, userId: number) => running.db.database.pool.query(text, [portal.portalId, userId]);

const unlist = (userId: number) =>
  sql("UPDATE users SET is_listed = false, saved_at = now() WHERE portal_id = $1 AND user_id = $2", userId);
const archive = (userId: number) =>
  sql("UPDATE owners SET is_archived = true, saved_at = now() WHERE portal_id = $1 AND user_id = $2", userId);
const forgetUser = (userId: number) => sql("DELETE FROM users WHERE portal_id = $1 AND user_id = $2", userId);
const forgetOwner = (userId: number) =>
  sql("DELETE FROM owners WHERE portal_id = $1 AND user_id = $2", userId);

/** Every place where somebody can be chosen as a sender, and whether this one can. */
async function whoOffers(userId: number): Promise<Record<string, boolean>> {
  const option = `<option value="${userId}"`;
  const page = async (path: string) => (await browser.open(running.publicUrl + path)).body.includes(option);
  const tab = await portal.hubspotFetch(`${running.publicUrl}/hubspot/settings/defaults`, {});
  const dropdown = await portal.fetchOptions({
    optionsUrl: running.publicUrl + SENDER_OPTIONS_ROUTE,
    inputFieldName: "sender_user_id",
  });
  return {
    overview: await page("/settings"),
    policy: await page("/settings/policy"),
    preset: await page("/settings/presets/new"),
    rotation: await page("/settings/rotations/new"),
    tryIt: await page("/settings/try"),
    activity: await page("/settings/activity"),
    tab: tab.body.includes(`"value":"${userId}"`),
    dropdown: dropdown.options.some(({ value }) => value === String(userId)),
  };
}

const NOBODY = {
  overview: false,
  policy: false,
  preset: false,
  rotation: false,
  tryIt: false,
  activity: false,
  tab: false,
  dropdown: false,
};
const EVERYBODY = {
  overview: true,
  policy: true,
  preset: true,
  rotation: true,
  tryIt: true,
  activity: true,
  tab: true,
  dropdown: true,
};

/** What the worker does with a contact: chosen by its owner, and by the user's id. */
async function whatTheWorkerDoes(userId: number): Promise<Record<string, string | undefined>> {
  const { ownerId } = portal.ownerOfUser(userId);
  const run = async (inputs: Record<string, string>) => {
    const contact = portal.addContact({ properties: { hubspot_owner_id: ownerId } });
    const started = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [contact.id],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await started.finished;
    const { outputs } = started.executions[0] ?? {};
    return outputs?.["error_code"] || outputs?.["sender_user_id"];
  };
  return {
    byOwner: await run({ sender_mode: "contact_owner" }),
    byUser: await run({ sender_mode: "specific_user", sender_user_id: String(userId) }),
  };
}

describe("whether a person can send has one answer", () => {
  test("a person who is only an owner can, everywhere", async () => {
    const [userId = 0] = ids;
    await forgetUser(userId);
    expect(await whoOffers(userId)).toEqual(EVERYBODY);
    expect(await whatTheWorkerDoes(userId)).toEqual({ byOwner: String(userId), byUser: String(userId) });
  });

  test("somebody who left the user list while our owners are old cannot, and HubSpot is asked to enroll nobody", async () => {
    const [, userId = 0] = ids;
    await unlist(userId);
    portal.deactivateUser(userId);
    expect(await whoOffers(userId)).toEqual(NOBODY);
    const before = portal.traffic.requestsOf("enroll");
    expect(await whatTheWorkerDoes(userId)).toEqual({
      byOwner: "OWNER_INACTIVE",
      byUser: "SENDER_NOT_PERMITTED",
    });
    expect(portal.traffic.requestsOf("enroll")).toBe(before);
    expect(await whoOffers(userId)).toEqual(NOBODY);
  });

  test("a person who is still listed as a user, but whose owner was archived, cannot", async () => {
    const [, , userId = 0] = ids;
    await archive(userId);
    portal.deactivateUser(userId);
    expect(await whoOffers(userId)).toEqual(NOBODY);
    expect(await whatTheWorkerDoes(userId)).toEqual({
      byOwner: "OWNER_INACTIVE",
      byUser: "SENDER_NOT_PERMITTED",
    });
  });

  test("somebody missing from both lists can again as soon as HubSpot has told the worker so", async () => {
    const [, , , userId = 0] = ids;
    await unlist(userId);
    await archive(userId);
    expect(await whoOffers(userId)).toEqual(NOBODY);
    expect(await whatTheWorkerDoes(userId)).toEqual({ byOwner: String(userId), byUser: String(userId) });
    expect(await whoOffers(userId)).toEqual(EVERYBODY);
  });

  test("somebody missing from the user list, with no known owner, can as soon as HubSpot has said so", async () => {
    const [, , , , userId = 0] = ids;
    await unlist(userId);
    await forgetOwner(userId);
    expect(await whoOffers(userId)).toEqual(NOBODY);
    const { byUser } = await whatTheWorkerDoes(userId);
    expect(byUser).toBe(String(userId));
    expect(await whoOffers(userId)).toEqual(EVERYBODY);
  });
});

describe("a person's name has one answer", () => {
  test("a name that only the owner has is shown wherever people are listed", async () => {
    const [, , , , , userId = 0] = ids;
    await sql(
      "UPDATE users SET first_name = NULL, last_name = '' WHERE portal_id = $1 AND user_id = $2",
      userId,
    );
    await sql(
      "UPDATE owners SET first_name = 'Only', last_name = 'Owner' WHERE portal_id = $1 AND user_id = $2",
      userId,
    );
    const outcome = await whatTheWorkerDoes(userId);
    expect(outcome["byUser"]).toBe(String(userId));
    const paths = ["", "/policy", "/presets/new", "/activity", "/senders", "/reports?by=sender"];
    for (const path of paths) {
      const { body: text } = await browser.open(`${running.publicUrl}/settings${path}`);
      expect([path, text.includes("Only Owner")]).toEqual([path, true]);
    }
  });

  test("a name that both have is the user's", async () => {
    const [, , , , , , userId = 0] = ids;
    await sql(
      "UPDATE users SET first_name = 'As', last_name = 'User' WHERE portal_id = $1 AND user_id = $2",
      userId,
    );
    await sql(
      "UPDATE owners SET first_name = 'As', last_name = 'Owner' WHERE portal_id = $1 AND user_id = $2",
      userId,
    );
    await whatTheWorkerDoes(userId);
    for (const path of ["", "/policy", "/activity", "/senders", "/reports?by=sender"]) {
      const { body: text } = await browser.open(`${running.publicUrl}/settings${path}`);
      expect([path, text.includes("As User"), text.includes("As Owner")]).toEqual([path, true, false]);
    }
  });
});
