import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { KIND_WORLD } from "../../../src/simulator/world/presets.js";
import { startOddHubSpot, type OddHubSpot } from "../../support/odd-hubspot.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

type TokenAnswer = Record<string, unknown>;

describe("a refresh that ended the token it was made with", () => {
  let hubspot: OddHubSpot;
  let running: RunningApp;

  beforeAll(async () => {
    hubspot = await startOddHubSpot(() => running.simulator.url);
    running = await startRunningApp({
      environment: { HUBSPOT_API_URL: hubspot.url },
      simulator: { openQuestions: { ...KIND_WORLD.openQuestions, rotateRefreshTokens: true } },
    });
  });

  afterAll(async () => {
    await running.close();
    await hubspot.close();
  });

  /** Every token answer is changed; a short life has the app refresh before it uses any. */
  function editTokens(change: (answer: TokenAnswer) => TokenAnswer): { count: number } {
    const answers = { count: 0 };
    hubspot.edit = ({ url }, body) => {
      if (!url.endsWith("/token")) return body;
      answers.count += 1;
      return answers.count === 1 ? { ...(body as TokenAnswer), expires_in: 1 } : change(body as TokenAnswer);
    };
    return answers;
  }

  test.each<[string, TokenAnswer]>([
    ["no user", { user_id: null }],
    ["a user in words", { user_id: "the admin" }],
    ["no account", { hub_id: null }],
    ["an account in words", { hub_id: "mine" }],
    ["a life in digits", { expires_in: "1800" }],
    ["no life", { expires_in: null }],
    ["a life of no length", { expires_in: 0 }],
    ["a life in words", { expires_in: "half an hour" }],
    ["no scopes", { scopes: null }],
    ["scopes in one text", { scopes: "oauth crm.objects.contacts.read" }],
    ["a domain that is none", { hub_domain: { name: null } }],
  ])("keeps the account connected though its answer has %s", async (_what, odd) => {
    const answers = editTokens((answer) => ({ ...answer, ...odd }));
    const portal = addPlainPortal(running.simulator, { contacts: 1 });
    await running.install(portal);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(answers.count).toBeGreaterThan(1);
    const { status } = await running.db.database.prisma.portal.findUniqueOrThrow({
      where: { portalId: BigInt(portal.portalId) },
    });
    expect(status).toBe("CONNECTED");
  });
});
