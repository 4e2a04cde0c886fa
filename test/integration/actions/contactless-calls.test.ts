import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { readActions } from "../../support/hubspot-project.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const ROUTES = {
  enroll: ENROLL_ROUTE,
  "check-enrollment": CHECK_ENROLLMENT_ROUTE,
  "wait-for-sequence-end": WAIT_FOR_SEQUENCE_END_ROUTE,
};
type Action = keyof typeof ROUTES;

let running: RunningApp;
let portal: SimulatedPortal;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator, { contacts: 3 });
  await running.install(portal);
});

afterAll(() => running.close());

const inputs = () => ({ sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" });

async function post(action: Action, members: Record<string, unknown>) {
  const url = running.publicUrl + ROUTES[action];
  const origin = { portalId: portal.portalId };
  const body = JSON.stringify({ callbackId: "ap-no-contact", origin, inputFields: inputs(), ...members });
  const headers = {
    ...running.simulator.sign({ method: "POST", url, body }),
    "content-type": "application/json",
  };
  const answer = await fetch(url, { method: "POST", headers, body });
  return { status: answer.status, body: (await answer.json()) as { outputFields?: Record<string, string> } };
}

const stored = () => running.db.database.prisma.execution.count({ where: { callbackId: "ap-no-contact" } });

describe.each(Object.keys(ROUTES) as Action[])("a call of the action %s", (action) => {
  const outputs =
    readActions()
      .get(action)
      ?.outputFields.map(({ typeDefinition }) => typeDefinition.name) ?? [];

  test.each([
    ["without a contact, as an agent sends it", {}, /without a contact/],
    ["with none", { object: null }, /without a contact/],
    ["for a company", { object: { objectId: 7, objectType: "COMPANY" } }, /not a contact/],
    [
      "for a deal, by the number of its type",
      { object: { objectId: 7, objectType: "0-3" } },
      /not a contact/,
    ],
  ])("%s goes on with INVALID_INPUT, every output, and nothing stored", async (_what, members, words) => {
    const context = { source: "AGENTS", agentId: 12 };
    const { status, body } = await post(action, { ...members, context });
    expect(status).toBe(200);
    expect(body.outputFields).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      error_code: "INVALID_INPUT",
    });
    expect(body.outputFields?.["error_message"]).toMatch(words);
    expect(Object.keys(body.outputFields ?? {})).toEqual(expect.arrayContaining(outputs));
    expect(await stored()).toBe(0);
  });

  test.each([{ object: {} }, { object: { objectType: "CONTACT" } }, { object: "7" }])(
    "with the record %j, which has no id, is unreadable",
    async (members) => {
      expect(await post(action, members)).toMatchObject({ status: 400, body: { code: "BODY_UNREADABLE" } });
      expect(await stored()).toBe(0);
    },
  );
});

describe("a step whose lists were left at their first entry", () => {
  test.each(["CONTACT", "contact", "0-1", undefined])(
    "goes by the preset, for a contact whose type is told as %s",
    async (objectType) => {
      const contact = portal.addContact();
      portal.enrollInUi(contact.id);
      const properties = Object.fromEntries(
        REQUESTED_PROPERTIES.map((name) => [name, contact.properties[name] ?? null]),
      );
      const callbackId = `ap-first-entry-${objectType}`;
      portal.callbacks.expect(callbackId);
      const left = { if_already_enrolled: "portal_default", preset_id: "portal_default" };
      const object = { objectId: Number(contact.id), objectType, properties };
      const call = { callbackId, object, inputFields: { ...inputs(), ...left } };
      expect((await post("enroll", call)).body.outputFields?.["hs_execution_state"]).toBe("BLOCK");
      await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
      expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
        enrollment_status: "ALREADY_ENROLLED",
        hs_execution_state: "SUCCESS",
      });
    },
  );
});
