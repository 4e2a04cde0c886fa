import { describe, expect, test } from "@jest/globals";
import * as check from "#domain/contract/actions/check-contract.js";
import * as enrolling from "#domain/contract/actions/enroll-contract.js";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import * as unenroll from "#domain/contract/actions/unenroll-contract.js";
import * as wait from "#domain/contract/wait-contract.js";
import { readActions, type ActionConfig, type Field } from "../../support/hubspot-project.js";

const actions = readActions();
const ACTIONS = [...actions];
const action = (name: string): ActionConfig => {
  const config = actions.get(name);
  if (config === undefined) throw new Error(`there is no action ${name}`);
  return config;
};
const enroll = action("enroll");

const namesOf = (fields: readonly Field[]): string[] =>
  fields.map(({ typeDefinition }) => typeDefinition.name);
const input = (name: string): Field | undefined =>
  enroll.inputFields.find(({ typeDefinition }) => typeDefinition.name === name);
const optionValues = (name: string): string[] =>
  (input(name)?.typeDefinition.options ?? []).map(({ value }) => value);

/** HubSpot shows the label of the first rule whose conditions all hold. */
function shownFor({ executionRules }: ActionConfig, outputs: Record<string, string>): string | undefined {
  return executionRules.find(({ conditions }) =>
    Object.entries(conditions).every(([name, wanted]) => [wanted].flat().includes(outputs[name] ?? "")),
  )?.labelName;
}

describe("every action", () => {
  test.each(ACTIONS)("%s is published, for contacts, with texts as outputs", (_name, config) => {
    expect(config).toMatchObject({ isPublished: true, objectTypes: ["CONTACT"] });
    for (const { typeDefinition } of config.outputFields)
      expect(typeDefinition).toMatchObject({ type: "string", fieldType: "text" });
    expect(namesOf(config.outputFields)).not.toContain("hs_execution_state");
  });

  test.each(ACTIONS)("%s has a rule with a label for each line of the history", (_name, config) => {
    const rules = config.executionRules.map(({ labelName }) => labelName);
    expect(new Set(rules).size).toBe(rules.length);
    expect(Object.keys(config.labels.en.executionRules)).toEqual(rules);
    for (const { conditions } of config.executionRules) {
      expect(Object.keys(conditions)).toHaveLength(1);
      expect(namesOf(config.outputFields)).toEqual(expect.arrayContaining(Object.keys(conditions)));
    }
  });

  const codes = ACTIONS.flatMap(([name, config]) => ERROR_CODES.map((code) => [name, code, config] as const));
  test.each(codes)("%s shows a line for %s, once", (_name, code, config) => {
    const label = shownFor(config, { error_code: code });
    expect(label).toBeDefined();
    const naming = config.executionRules.filter(({ conditions }) =>
      [conditions["error_code"] ?? []].flat().includes(code),
    );
    expect(naming).toHaveLength(1);
  });

  test("is offered to workflows alone: agents name no contact", () => {
    for (const [, { supportedClients }] of ACTIONS)
      expect(supportedClients.map(({ client }) => client)).toEqual(["WORKFLOWS"]);
  });
});

describe("the enroll action", () => {
  test("calls the routes the code serves", () => {
    expect(enroll.actionUrl).toBe(`\${PUBLIC_URL}${enrolling.ENROLL_ROUTE}`);
    const urls = enroll.inputFields.flatMap(({ typeDefinition: { name, optionsUrl } }) =>
      optionsUrl === undefined ? [] : [[name, optionsUrl]],
    );
    expect(Object.fromEntries(urls)).toEqual({
      sequence_id: `\${PUBLIC_URL}${enrolling.SEQUENCE_OPTIONS_ROUTE}`,
      sender_user_id: `\${PUBLIC_URL}${enrolling.SENDER_OPTIONS_ROUTE}`,
      rotation_id: `\${PUBLIC_URL}${enrolling.ROTATION_OPTIONS_ROUTE}`,
      preset_id: `\${PUBLIC_URL}${enrolling.PRESET_OPTIONS_ROUTE}`,
    });
  });

  test("has the inputs the code reads and the outputs it writes, in the same order", () => {
    expect(namesOf(enroll.inputFields)).toEqual([...enrolling.ENROLL_INPUTS]);
    expect(namesOf(enroll.outputFields)).toEqual([...enrolling.ENROLL_OUTPUTS]);
  });

  test("requires what the code requires", () => {
    const required = enroll.inputFields.filter(({ isRequired }) => isRequired);
    expect(namesOf(required)).toEqual([...enrolling.REQUIRED_ENROLL_INPUTS]);
  });

  test("offers the values the code knows", () => {
    expect(optionValues("sender_mode")).toEqual([...enrolling.SENDER_MODES]);
    expect(optionValues("if_already_enrolled").slice(1)).toEqual([...enrolling.IF_ALREADY_ENROLLED]);
  });

  test("begins each list that may be left empty with the choice to leave it to the preset", () => {
    const optional = enroll.inputFields.filter(
      ({ isRequired, typeDefinition }) => !isRequired && typeDefinition.options !== undefined,
    );
    expect(namesOf(optional)).toEqual(["if_already_enrolled"]);
    for (const name of namesOf(optional)) expect(optionValues(name)[0]).toBe(enrolling.LEFT_TO_PRESET);
  });

  test("takes days as a number, and a date as such or from a property of the contact", () => {
    expect(input("cooldown_days")?.typeDefinition).toMatchObject({ type: "number", fieldType: "number" });
    expect(input("not_before")).toMatchObject({
      typeDefinition: { type: "date", fieldType: "date" },
      supportedValueTypes: ["STATIC_VALUE", "OBJECT_PROPERTY"],
    });
  });

  test("comes with the contact's properties the code reads", () => {
    expect(enroll.objectRequestOptions.properties).toEqual([
      "email",
      ...enrolling.NAME_PROPERTIES,
      ...enrolling.REQUESTED_PROPERTIES.slice(1),
    ]);
  });

  test("fills a drop-down from fixed options or from a URL, not from both", () => {
    for (const { typeDefinition } of enroll.inputFields) {
      const sources = ["options", "optionsUrl"].filter((key) => key in typeDefinition);
      expect(sources).toHaveLength(typeDefinition.type === "enumeration" ? 1 : 0);
    }
  });

  test("asks for the sender or the rotation only where that was chosen", () => {
    const dependencies = (enroll.inputFieldDependencies ?? []).map((dependency) => [
      dependency.dependencyType,
      dependency.controllingFieldName,
      dependency.controllingFieldValue,
      dependency.dependentFieldNames,
    ]);
    expect(dependencies).toEqual([
      ["CONDITIONAL_SINGLE_FIELD", "sender_mode", "specific_user", ["sender_user_id"]],
      ["CONDITIONAL_SINGLE_FIELD", "sender_mode", "rotation", ["rotation_id"]],
    ]);
    // HubSpot would not let the step be saved while a hidden input is required.
    expect(input("sender_user_id")?.isRequired).toBe(false);
    expect(input("rotation_id")?.isRequired).toBe(false);
  });

  test.each(ERROR_CODES)("shows a line of its own for %s, before the general ones", (code) => {
    expect(shownFor(enroll, { enrollment_status: "FAILED", error_code: code })).toBe(code);
    expect(shownFor(enroll, { enrollment_status: "SKIPPED", error_code: code })).toBe(code);
  });

  test("shows a line for every status without a code as well", () => {
    const lines = enrolling.ENROLLMENT_STATUSES.map((status) =>
      shownFor(enroll, { enrollment_status: status, error_code: "" }),
    );
    expect(lines).toEqual(["enrolled", "already_enrolled", "skipped", "failed"]);
  });
});

describe("the check action", () => {
  const config = action("check-enrollment");

  test("asks nothing of the workflow builder and answers what the code writes", () => {
    expect(config.actionUrl).toBe(`\${PUBLIC_URL}${check.CHECK_ENROLLMENT_ROUTE}`);
    expect(config.inputFields).toEqual([]);
    expect(namesOf(config.outputFields)).toEqual([...check.CHECK_OUTPUTS]);
    expect(config.objectRequestOptions.properties).toEqual([
      "email",
      ...enrolling.NAME_PROPERTIES,
      ...wait.SEQUENCE_PROPERTIES,
    ]);
  });

  test("shows whether the contact is in a sequence, and why that could not be told", () => {
    expect(shownFor(config, { is_enrolled: "true", error_code: "" })).toBe("enrolled");
    expect(shownFor(config, { is_enrolled: "false", error_code: "" })).toBe("not_enrolled");
    expect(shownFor(config, { is_enrolled: "false", error_code: "CONTACT_NOT_FOUND" })).toBe(
      "CONTACT_NOT_FOUND",
    );
    expect(shownFor(config, { is_enrolled: "", error_code: "BOUNCED" })).toBe("failed");
  });
});

describe("the unenroll action", () => {
  const config = action("unenroll");

  test("asks nothing of the workflow builder and answers what the code writes", () => {
    expect(config.actionUrl).toBe(`\${PUBLIC_URL}${unenroll.UNENROLL_ROUTE}`);
    expect(config.inputFields).toEqual([]);
    expect(namesOf(config.outputFields)).toEqual([...unenroll.UNENROLL_OUTPUTS]);
  });

  test.each(unenroll.UNENROLL_OUTCOMES)("shows a line of its own for %s", (outcome) => {
    expect(shownFor(config, { outcome, error_code: "" })).toBe(outcome);
  });
});

describe("the wait action", () => {
  const config = action("wait-for-sequence-end");

  test("asks for the longest wait and answers what the code writes", () => {
    expect(config.actionUrl).toBe(`\${PUBLIC_URL}${wait.WAIT_FOR_SEQUENCE_END_ROUTE}`);
    expect(namesOf(config.inputFields)).toEqual([...wait.WAIT_INPUTS]);
    expect(config.inputFields[0]).toMatchObject({
      typeDefinition: { type: "number", fieldType: "number" },
      isRequired: false,
    });
    expect(namesOf(config.outputFields)).toEqual([...wait.WAIT_OUTPUTS]);
    expect(config.objectRequestOptions.properties).toEqual([
      "email",
      ...enrolling.NAME_PROPERTIES,
      ...wait.SEQUENCE_PROPERTIES,
    ]);
  });

  test("names the default where the input is empty", () => {
    for (const { inputFieldDescriptions } of Object.values(config.labels))
      expect(inputFieldDescriptions["max_wait_days"]).toContain(String(wait.DEFAULT_MAX_WAIT_DAYS));
  });

  test.each(wait.WAIT_OUTCOMES)("shows a line of its own for %s", (outcome) => {
    expect(shownFor(config, { outcome, error_code: "" })).toBe(outcome);
  });
});
