import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { SIMULATED_APP, startListener, startSimulatorForTest } from "../../support/simulated-app.js";

let simulator: Simulator;
beforeEach(async () => {
  simulator = await startSimulatorForTest();
});
afterEach(() => simulator.close());

function authorizeUrl(parameters: Record<string, string> = {}): string {
  const url = new URL("/oauth/authorize", simulator.url);
  url.search = new URLSearchParams({
    client_id: SIMULATED_APP.clientId,
    redirect_uri: SIMULATED_APP.redirectUris[0],
    scope: SIMULATED_APP.requiredScopes.join(" "),
    optional_scope: SIMULATED_APP.optionalScopes.join(" "),
    state: "our-state",
    ...parameters,
  }).toString();
  return url.href;
}

describe("the simulator", () => {
  test("runs the whole journey: consent, token, enroll, complete", async () => {
    const portal = simulator.addPortal({ contacts: 3 });
    const callback = new URL(simulator.authorize(authorizeUrl(), { portalId: portal.portalId }));
    expect(callback.searchParams.get("state")).toBe("our-state");
    const response = await fetch(`${simulator.url}/oauth/2026-09/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: SIMULATED_APP.clientId,
        client_secret: SIMULATED_APP.clientSecrets[0],
        redirect_uri: SIMULATED_APP.redirectUris[0],
        code: callback.searchParams.get("code") ?? "",
      }),
    });
    const tokens = await response.json();
    expect(tokens).toMatchObject({ hub_id: portal.portalId, expires_in: 1800, token_type: "bearer" });
    const app = await startListener(() => ({ body: { outputFields: { hs_execution_state: "BLOCK" } } }));
    const run = portal.runAction({
      actionUrl: `${app.url}/hubspot/actions/enroll`,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: "300000001" },
      objectProperties: ["email"],
    });
    await run.answered;
    expect(run.counts()).toMatchObject({ blocked: 3 });
    const authorization = `Bearer ${tokens.access_token}`;
    const sender = portal.senders[0]!;
    for (const { contactId } of run.executions) {
      const enrolled = await fetch(
        `${simulator.url}/automation/sequences/2026-09/enrollments?userId=${sender.userId}`,
        {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify({ sequenceId: "300000001", contactId, senderEmail: sender.inboxAddress }),
        },
      );
      expect(enrolled.status).toBe(200);
    }
    const completed = await fetch(`${simulator.url}/automation/actions/callbacks/2026-09/complete`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({
        inputs: run.executions.map(({ callbackId }) => ({
          callbackId,
          outputFields: { hs_execution_state: "SUCCESS" },
          typedOutputs: {},
        })),
      }),
    });
    expect(completed.status).toBe(204);
    await run.finished;
    expect(run.counts()).toMatchObject({ completed: 3, blocked: 0 });
    await app.close();
  });
});
