import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { seedAccount } from "../../../src/bin/demo-account.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { contactUrl, flowUrl, sequenceUrl } from "../../../src/web/settings/words/fixes.js";
import { hubspotUrlOf } from "../../../src/web/settings/words/paths.js";
import { SIMULATED_APP, startSimulatorForTest } from "../../support/simulated-app.js";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulatorForTest({ appName: "Sequence Enroller", asksOnce: true });
});
afterEach(() => simulator.close());

async function read(url: string): Promise<{ status: number; words: string }> {
  const response = await fetch(url, { redirect: "manual" });
  return {
    status: response.status,
    words: (await response.text()).replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " "),
  };
}

describe("in the demo", () => {
  test("links to HubSpot lead to the simulator's own page of the contact, the sequence and the workflow", async () => {
    const { portal, sequenceId, outbound } = seedAccount(simulator);
    const { uiDomain } = portal.traits;
    const hubspotUrl = hubspotUrlOf({ uiDomain }, simulator.url);
    expect(hubspotUrl).toBe(simulator.url);
    const places = { hubspotUrl, portalId: BigInt(portal.portalId) };
    const contactId = outbound.at(-1) ?? "";
    const { firstname, lastname, email } = portal.contact(contactId).properties;
    const contact = await read(contactUrl(places, contactId));
    expect(contact.words).toContain(
      `${firstname ?? ""} ${lastname ?? ""} Email ${email ?? ""} Contact owner`,
    );
    expect((await read(sequenceUrl(places, sequenceId))).words).toContain("Enrolled now");
    const [flow] = portal.flows.all();
    expect((await read(flowUrl(places, flow?.id ?? ""))).words).toContain(flow?.name);
    for (const path of ["workflows", "sequences", "settings"])
      expect(
        (await read(`${hubspotUrl}/${path}/${portal.portalId}${path === "settings" ? "/users" : ""}`)).status,
      ).toBe(200);
    expect((await read(contactUrl(places, "1"))).status).toBe(404);
  });

  test("HubSpot asks once, names the app, and says in words what it will be able to do", async () => {
    const portal = simulator.addPortal();
    const url = new URL("/oauth/authorize", simulator.url);
    url.search = new URLSearchParams({
      client_id: SIMULATED_APP.clientId,
      redirect_uri: SIMULATED_APP.redirectUris[0],
      scope: SIMULATED_APP.requiredScopes.join(" "),
      optional_scope: SIMULATED_APP.optionalScopes.join(" "),
      state: "our-state",
    }).toString();
    const asked = await read(url.href);
    expect(asked.words).toContain("Connect Sequence Enroller to HubSpot");
    expect(asked.words).toContain("Sequence Enroller will be able to:");
    expect(asked.words).toContain("Enroll contacts in sequences automation.sequences.enrollments.write");
    const agree = (decision: string) =>
      fetch(url, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ identity: `${portal.portalId}:${portal.admin.userId}`, decision }),
      });
    await agree("deny");
    expect((await read(url.href)).status).toBe(200);
    expect((await agree("allow")).headers.get("location")).toContain("code=");
    expect((await read(url.href)).status).toBe(302);
  });
});
