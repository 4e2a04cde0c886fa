import { afterEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;

afterEach(() => running.close());

async function installIn(environment: Record<string, string>): Promise<SimulatedPortal> {
  running = await startRunningApp({ environment, simulator: { appId: "170" } });
  const portal = addPlainPortal(running.simulator, { contacts: 0 });
  await running.install(portal);
  return portal;
}

/** What the settings tab of an app gets, from the process at `at`. */
async function ask(portal: SimulatedPortal, appId: string, at = running.publicUrl) {
  const { publicUrl } = running;
  const answer = await portal.hubspotFetch(`${at}/hubspot/settings/overview`, { appId, publicUrl });
  const { code } = JSON.parse(answer.body) as { code?: string };
  return { status: answer.status, code };
}

const told = (words: string) => running.logLines.filter(({ msg }) => String(msg).includes(words));

describe("the app's id at HubSpot", () => {
  test("is learned at an install if none is set, and other apps' tabs are refused", async () => {
    const portal = await installIn({ HUBSPOT_APP_ID: "" });
    expect(told("names this app")).toMatchObject([{ appId: "170" }]);
    expect(await ask(portal, "999")).toEqual({ status: 403, code: "OTHER_APP" });
    expect(await ask(portal, "170")).toEqual({ status: 200 });
  });

  test("is learned by a process that saw no install from the first call of the tab", async () => {
    const portal = await installIn({ HUBSPOT_APP_ID: "" });
    const another = await running.startAnother();
    const at = `http://127.0.0.1:${another.address.port}`;
    expect(await ask(portal, "170", at)).toEqual({ status: 200 });
    expect(await ask(portal, "999", at)).toEqual({ status: 403, code: "OTHER_APP" });
  });

  test("counts as it is set, and the log tells once that HubSpot names another", async () => {
    const portal = await installIn({ HUBSPOT_APP_ID: "42" });
    expect(await ask(portal, "170")).toEqual({ status: 403, code: "OTHER_APP" });
    expect(await ask(portal, "42")).toEqual({ status: 200 });
    expect(told("another app than HUBSPOT_APP_ID")).toMatchObject([{ appId: "170", expected: "42" }]);
  });
});
