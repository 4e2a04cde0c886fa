import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { removeMadeFlow } from "#domain/ready-made/change-made-flows.js";
import { chosen } from "../../support/recipes.js";
import { startOwnFlowsStage, type OwnFlowsStage } from "../../support/own-flows-stage.js";

let stage: OwnFlowsStage;

beforeAll(async () => {
  stage = await startOwnFlowsStage();
});

afterAll(() => stage.close());

const remove = async (id: bigint) => removeMadeFlow(stage.running.db.database.pool, stage.actor, id);

const isReading = async (): Promise<boolean> => {
  const { flowsReadAt, flowsRequestedAt } = await stage.running.db.database.prisma.portal.findFirstOrThrow();
  return flowsReadAt === null || (flowsRequestedAt !== null && flowsRequestedAt > flowsReadAt);
};

describe("a ready-made workflow", () => {
  test("is made turned off, with our actions as HubSpot numbers them, and is recorded", async () => {
    await stage.make(chosen("OUTCOME", { name: "By outcome" }));
    const made = await stage.untilMade("MADE");
    expect(made).toMatchObject({ recipe: "OUTCOME", name: "By outcome", madeBy: "ann@acme.example" });
    const [flow, ...others] = stage.inHubSpot("By outcome");
    expect(others).toEqual([]);
    expect(flow).toMatchObject({
      id: made.flowId,
      isEnabled: false,
      actions: [
        { actionTypeId: "1-170012345", actionTypeVersion: 4, fields: { sequence_id: "300000001" } },
        { actionTypeId: "1-170012346", fields: { max_wait_days: "14" } },
        { type: "STATIC_BRANCH", inputValue: { actionId: "2", dataKey: "outcome" } },
        { actionTypeId: "0-5" },
        { actionTypeId: "0-5" },
      ],
    });
    const entries = await stage.running.db.database.prisma.auditEntry.findMany({
      where: { subject: "workflow" },
    });
    expect(entries).toMatchObject([{ action: "CREATED", subjectName: "By outcome" }]);
  });

  test("enrolls whoever submits its form, once a person has turned it on", async () => {
    const { portal, running } = stage;
    const actionUrl = running.publicUrl + ENROLL_ROUTE;
    portal.flowRunner.useAction({ actionUrl, objectProperties: [...REQUESTED_PROPERTIES] });
    const formId = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const [sequenceId = ""] = portal.sequences.keys();
    await stage.make(
      chosen("FORM", { name: "By form", trigger: { kind: "form", formId }, enroll: { sequenceId } }),
    );
    const made = await stage.untilMade("MADE");
    const [before, after] = [portal.addContact(), portal.addContact()];
    portal.flowRunner.formSubmitted(before.id, formId);
    stage.turnOn(made.flowId ?? "");
    portal.flowRunner.formSubmitted(after.id, formId);
    await stage.until(() => portal.enrollments.activeOf(after.id) !== undefined, "the enrollment");
    expect(portal.enrollments.activeOf(after.id)).toMatchObject({ sequenceId });
    expect(portal.enrollments.activeOf(before.id)).toBeUndefined();
  });

  test("is made once, however often its form is sent", async () => {
    const twice = { requestKey: "the-same" };
    await Promise.all([
      stage.make(chosen("FILTER", { name: "Once" }), twice),
      stage.make(chosen("FILTER", { name: "Once" }), twice),
    ]);
    await stage.untilMade("MADE");
    expect(stage.inHubSpot("Once")).toHaveLength(1);
  });

  test("is found again if HubSpot made it and its answer was lost", async () => {
    // Otherwise the reading of all workflows would meet the fault.
    await stage.until(async () => !(await isReading()), "the end of the reading");
    stage.running.simulator.failNext({ endpoint: "flows", fault: "resetAfter" });
    await stage.make(chosen("FORM", { name: "Lost answer" }));
    await stage.until(() => stage.inHubSpot("Lost answer").length > 0, "the workflow in HubSpot");
    // The look for it waits until HubSpot's list shows it.
    await stage.until(async () => (await stage.made())[0]?.message !== undefined, "the failure");
    await stage.running.db.database.pool.query(
      "UPDATE made_flows SET due_at = now() - interval '1 millisecond' WHERE state = 'SENDING'",
    );
    const made = await stage.untilMade("MADE");
    expect(stage.inHubSpot("Lost answer").map(({ id }) => id)).toEqual([made.flowId]);
  });

  test("is deleted again as long as nobody changed it", async () => {
    await stage.make(chosen("FILTER", { name: "Not needed" }));
    const made = await stage.untilMade("MADE");
    expect(await remove(made.id)).toBe(true);
    await stage.until(() => stage.inHubSpot("Not needed").length === 0, "the deletion");
    await stage.until(
      async () => (await stage.made()).every(({ id }) => id !== made.id),
      "the list without it",
    );
    expect(await remove(made.id)).toBe(false);
  });

  test("belongs to the person who changed it, and is left as it is", async () => {
    await stage.make(chosen("FILTER", { name: "Now in use" }));
    const made = await stage.untilMade("MADE");
    stage.turnOn(made.flowId ?? "");
    await remove(made.id);
    await stage.until(async () => (await stage.made())[0]?.problem === "CHANGED", "the problem");
    expect(stage.inHubSpot("Now in use")).toMatchObject([{ isEnabled: true }]);
  });

  test("that HubSpot refuses says what HubSpot said, and can be taken off the list", async () => {
    stage.portal.withdrawScopes(["automation"]);
    await stage.make(chosen("FILTER", { name: "Not allowed" }));
    const failed = await stage.untilMade("FAILED");
    expect(failed).toMatchObject({ problem: "NO_PERMISSION", message: expect.stringContaining("scope") });
    expect(stage.inHubSpot("Not allowed")).toEqual([]);
    expect(await remove(failed.id)).toBe(true);
    expect((await stage.made()).map(({ name }) => name)).not.toContain("Not allowed");
  });
});
