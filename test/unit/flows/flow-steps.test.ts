import { describe, expect, test } from "@jest/globals";
import { stepsOf } from "#domain/flows/flow-steps.js";
import type { ActionTypes } from "#domain/flows/action-types.js";
import { flowAction, type Flow } from "#platform/hubspot/wire/flow-records.js";

const TYPES: ActionTypes = {
  kinds: new Map([
    ["1-170", "ENROLL"],
    ["1-171", "CHECK_ENROLLMENT"],
  ]),
  fingerprint: "",
};

function flowOf(...actions: { type: string; fields?: Record<string, unknown>; id?: string }[]): Flow {
  const parsed = actions.map(({ type, fields, id }, index) =>
    flowAction.parse({ actionId: id ?? index + 1, actionTypeId: type, actionTypeVersion: 1, fields }),
  );
  return { id: "9", revisionId: "1", actions: parsed, oddActions: 0 };
}

describe("the steps we keep of a workflow", () => {
  test("are ours, by HubSpot's number of the action, and HubSpot's own enroll and unenroll", () => {
    const flow = flowOf(
      { type: "1-170" },
      { type: "0-1" },
      { type: "1-171" },
      { type: "1-999" },
      { type: "0-46510720" },
      { type: "0-4702372" },
    );
    expect(stepsOf(flow, TYPES).map(({ actionId, kind }) => [actionId, kind])).toEqual([
      ["1", "ENROLL"],
      ["3", "CHECK_ENROLLMENT"],
      ["5", "NATIVE_ENROLL"],
      ["6", "NATIVE_UNENROLL"],
    ]);
  });

  test("say what was chosen, wherever HubSpot writes the value", () => {
    const fields = {
      sequence_id: 391,
      sender_mode: { type: "STATIC_VALUE", staticValue: "rotation" },
      rotation_id: " 7 ",
      preset_id: "",
    };
    const [step] = stepsOf(flowOf({ type: "1-170", fields }), TYPES);
    expect(step?.fields).toEqual({
      sequenceId: "391",
      senderMode: "rotation",
      senderUserId: null,
      presetId: null,
      rotationId: "7",
      ifAlreadyEnrolled: null,
    });
    expect(step?.varying).toEqual([]);
  });

  test("name the fields whose value each contact brings along, and no value for them", () => {
    const fields = {
      sequence_id: { type: "OBJECT_PROPERTY", propertyName: "sequence" },
      sender_mode: "contact_owner",
    };
    const [step] = stepsOf(flowOf({ type: "1-170", fields }), TYPES);
    expect([step?.fields.sequenceId, step?.varying]).toEqual([null, ["sequenceId"]]);
  });

  test("read HubSpot's own step by its own names, and never by ours", () => {
    const fields = {
      sequenceId: "300",
      senderType: "SPECIFIC_USER",
      userId: 8,
      sequence_id: "1",
      preset_id: "2",
    };
    const [step] = stepsOf(flowOf({ type: "0-46510720", fields }), TYPES);
    expect(step?.fields).toMatchObject({ sequenceId: "300", senderUserId: "8", presetId: null });
  });

  test("are one row for each id, however often HubSpot names it", () => {
    const flow = flowOf({ type: "1-170", id: "4" }, { type: "1-171", id: "4" });
    expect(stepsOf(flow, TYPES)).toHaveLength(1);
  });
});
