import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mayAdminister } from "#domain/accounts/rights.js";
import {
  ENROLL_ROUTE,
  REQUESTED_PROPERTIES,
  SENDER_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let left: number;

beforeAll(async () => {
  running = await startRunningApp({ simulator: { openQuestions: { deactivatedUsers: "listed" } } });
  portal = addPlainPortal(running.simulator, {
    users: [{ superAdmin: true }, { superAdmin: true, firstName: "Gone", lastName: "Girl" }, {}],
    sequences: 1,
    contacts: 2,
  });
  left = [...portal.users.keys()][1] ?? 0;
  portal.deactivateUser(left);
  await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("sequences") > 0);
  const endsAt = Date.now() + 60_000;
  while ((await synced()) === null) {
    if (Date.now() > endsAt) throw new Error("the directory was not copied");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

afterAll(() => running.close());

const portalId = () => BigInt(portal.portalId);

async function synced(): Promise<Date | null> {
  const { prisma } = running.db.database;
  return (await prisma.portal.findUniqueOrThrow({ where: { portalId: portalId() } })).directorySyncedAt;
}

const senders = (selected?: string) =>
  portal.fetchOptions({
    optionsUrl: running.publicUrl + SENDER_OPTIONS_ROUTE,
    inputFieldName: "sender_user_id",
    ...(selected === undefined ? {} : { inputFields: { sender_user_id: selected } }),
  });

describe("a deactivated user whom HubSpot still lists", () => {
  test("is not offered, and is shown as deactivated where already chosen", async () => {
    expect((await senders()).options.map(({ value }) => value)).not.toContain(String(left));
    expect((await senders(String(left))).options[0]).toMatchObject({ label: "Gone Girl (deactivated)" });
  });

  test("enrolls nobody, whatever the rule", async () => {
    const { ownerId } = portal.ownerOfUser(left);
    const own = portal.addContact({ properties: { hubspot_owner_id: ownerId } });
    const run = (inputs: Record<string, string>, contactId: string) =>
      portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [contactId],
        inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", ...inputs },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
    const [first = ""] = portal.contacts.keys();
    const runs = [
      run({ sender_mode: "specific_user", sender_user_id: String(left) }, first),
      run({ sender_mode: "contact_owner" }, own.id),
    ];
    await Promise.all(runs.map(({ finished }) => finished));
    expect(runs.map(({ executions }) => executions[0]?.outputs["error_code"])).toEqual([
      "SENDER_NOT_PERMITTED",
      "OWNER_INACTIVE",
    ]);
    expect(portal.enrollments.total).toBe(0);
  });

  test("administers nothing, even if known only by the address", async () => {
    const { pool } = running.db.database;
    const may = () => mayAdminister(pool, portalId(), BigInt(left));
    expect(await may()).toBe(false);
    await pool.query("UPDATE owners SET user_id = NULL WHERE portal_id = $1 AND user_id = $2", [
      portalId(),
      left,
    ]);
    expect(await may()).toBe(false);
    await pool.query("UPDATE owners SET is_archived = false WHERE portal_id = $1", [portalId()]);
    expect(await may()).toBe(true);
  });
});
