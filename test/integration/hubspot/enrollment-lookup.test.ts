import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { createPortalGateway, type PortalGateway } from "#platform/hubspot/gateway.js";
import { bareTransport } from "../../support/bare-transport.js";
import { startListener, type Listener } from "../../support/simulated-app.js";

describe("the lookup of a contact's enrollment, which decides whether it is enrolled again", () => {
  let hubspot: Listener;
  let gateway: PortalGateway;
  let answer: Parameters<typeof startListener>[0];

  beforeAll(async () => {
    hubspot = await startListener((request, index) => answer(request, index));
    gateway = createPortalGateway(bareTransport(hubspot.url));
  });

  afterAll(() => hubspot.close());

  // Which of them HubSpot gives for a contact that is in no sequence is not published (docs/hubspot.md §13.5).
  test.each([
    ["404", 404],
    ["204", 204],
    ["200 with nothing", 200],
    ["200 with null", { body: null }],
    ["200 with an empty object", { body: {} }],
  ])("reads %s as not enrolled", async (_what, given) => {
    answer = () => given;
    expect(await gateway.readEnrollment("1001")).toBeUndefined();
  });

  test.each([
    ["a page", { body: "<html>" }],
    ["a list", { body: ["1"] }],
    ["another shape", { body: { id: "1" } }],
    ["an empty list", { body: [] }],
    ["an empty text", { body: '""' }],
    ["a figure", { body: 5 }],
    ["the figure none", { body: 0 }],
    ["yes", { body: true }],
  ])("reads %s as an outage: nothing is known of the contact", async (_what, given) => {
    answer = () => given;
    await expect(gateway.readEnrollment("1001")).rejects.toBeInstanceOf(HubSpotUnavailable);
  });
});
