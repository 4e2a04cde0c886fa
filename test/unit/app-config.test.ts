import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import * as contract from "../../src/executions/enroll-contract.js";
import { ERROR_CODES } from "../../src/executions/error-codes.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "../../src/hubspot/scopes.js";

/** A component file as far as these tests read it; the last block holds the whole action to HubSpot's own schema. */
interface Component<Config> {
  readonly uid: string;
  readonly type: string;
  readonly config: Config;
}

interface AppConfig {
  readonly auth: Readonly<
    Record<"redirectUrls" | "requiredScopes" | "optionalScopes" | "conditionallyRequiredScopes", string[]>
  >;
}

interface Field {
  readonly typeDefinition: {
    name: string;
    type: string;
    fieldType: string;
    options?: { value: string; label: string }[];
    optionsUrl?: string;
  };
  supportedValueTypes?: string[];
  readonly isRequired?: boolean;
}

type Texts = Record<string, string>;

interface ActionConfig {
  readonly actionUrl: string;
  readonly isPublished: boolean;
  readonly supportedClients: unknown;
  readonly objectTypes: string[];
  readonly objectRequestOptions: { properties: string[] };
  readonly inputFields: Field[];
  readonly inputFieldDependencies: {
    dependencyType: string;
    controllingFieldName: string;
    controllingFieldValue: string;
    dependentFieldNames: string[];
  }[];
  readonly outputFields: Field[];
  readonly executionRules: { labelName: string; conditions: Texts }[];
  readonly labels: {
    en: { actionCardContent: string } & Record<
      "inputFieldLabels" | "inputFieldDescriptions" | "outputFieldLabels" | "executionRules",
      Texts
    >;
  };
}

const PROJECT = path.resolve("app-config");

function readJson<Content>(...segments: string[]): Content {
  return JSON.parse(readFileSync(path.join(...segments), "utf8")) as Content;
}

/** Every `-hsmeta.json` of the project, by its path below `src/`. */
function readComponents(): Map<string, Component<unknown>> {
  const source = path.join(PROJECT, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("-hsmeta.json"),
  );
  return new Map(files.map((file) => [file.split(path.sep).join("/"), readJson(source, file)]));
}

/** Names between `open` and `close` anywhere in a value, as HubSpot replaces them. */
function placeholders(value: unknown, pattern: RegExp): string[] {
  return [...new Set([...JSON.stringify(value).matchAll(pattern)].map((match) => match[1] ?? ""))];
}

const PROFILE_VARIABLE = /\$\{(.*?)\}/g;
const LABEL_VARIABLE = /\{\{(.*?)\}\}/g;

const components = readComponents();
const app = components.get("app/app-hsmeta.json")?.config as AppConfig;
const enroll = components.get("app/workflow-actions/enroll-hsmeta.json")?.config as ActionConfig;
const labels = enroll.labels.en;
const inputs = new Map(enroll.inputFields.map((field) => [field.typeDefinition.name, field]));
const outputNames = enroll.outputFields.map((field) => field.typeDefinition.name);
const optionsOf = (field: Field | undefined) => field?.typeDefinition.options ?? [];
const optionValues = (input: string): string[] => optionsOf(inputs.get(input)).map(({ value }) => value);

describe("the HubSpot project", () => {
  test("is a project of platform 2026.09 with one app and its enroll action", () => {
    expect(readJson(PROJECT, "hsproject.json")).toMatchObject({ srcDir: "src", platformVersion: "2026.09" });
    expect([...components].map(([file, { type }]) => [file, type]).sort()).toEqual([
      ["app/app-hsmeta.json", "app"],
      ["app/workflow-actions/enroll-hsmeta.json", "workflow-action"],
    ]);
  });

  test("uses only the top-level keys and the uids that HubSpot's parser takes", () => {
    const uids = [...components.values()].map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const uid of uids) expect(uid).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
    for (const component of components.values()) {
      expect(["uid", "type", "config", "dependencies", "permissions"]).toEqual(
        expect.arrayContaining(Object.keys(component)),
      );
    }
  });

  test("asks for the scopes the code uses", () => {
    expect(app.auth.requiredScopes).toEqual([...REQUIRED_SCOPES]);
    expect(app.auth.optionalScopes).toEqual([...OPTIONAL_SCOPES]);
    expect(app.auth.conditionallyRequiredScopes).toEqual([]);
  });

  test("is listed on the marketplace, which allows nothing but OAuth", () => {
    expect(app).toMatchObject({ distribution: "marketplace", auth: { type: "oauth" } });
  });

  test("calls the routes the code serves, all below one PUBLIC_URL", () => {
    expect(app.auth.redirectUrls).toEqual(["${PUBLIC_URL}/oauth/callback"]);
    expect(enroll.actionUrl).toBe(`\${PUBLIC_URL}${contract.ENROLL_ROUTE}`);
    expect(inputs.get("sequence_id")?.typeDefinition.optionsUrl).toBe(
      `\${PUBLIC_URL}${contract.SEQUENCE_OPTIONS_ROUTE}`,
    );
    expect(inputs.get("sender_user_id")?.typeDefinition.optionsUrl).toBe(
      `\${PUBLIC_URL}${contract.SENDER_OPTIONS_ROUTE}`,
    );
  });

  test("holds no address of its own: each comes from a profile", () => {
    expect(JSON.stringify([...components.values()])).not.toMatch(/https?:\/\//);
  });
});

describe("profiles", () => {
  const needed = placeholders([...components.values()], PROFILE_VARIABLE).sort();
  const written = readdirSync(path.join(PROJECT, "src")).filter((file) =>
    /^hsprofile\.[^.]+\.json$/.test(file),
  );
  const files = ["hsprofile.example.json", ...written.map((file) => path.join("src", file))];

  test.each(files)("%s gives every variable that the project uses, and no other", (file) => {
    const { variables } = readJson<{ variables: Texts }>(PROJECT, file);
    expect(Object.keys(variables).sort()).toEqual(needed);
    for (const value of Object.values(variables)) expect(typeof value).toBe("string");
  });

  test.each(files)("%s has a PUBLIC_URL that routes can be appended to", (file) => {
    const { PUBLIC_URL = "" } = readJson<{ variables: Texts }>(PROJECT, file).variables;
    expect(new URL(PUBLIC_URL).protocol).toBe("https:");
    expect(PUBLIC_URL).toBe(PUBLIC_URL.replace(/\/+$/, ""));
  });

  test("the example stands outside src/, where HubSpot's CLI would take it for a real one", () => {
    expect(existsSync(path.join(PROJECT, "src", "hsprofile.example.json"))).toBe(false);
  });
});

describe("the enroll action's inputs and outputs", () => {
  test("are the ones the code reads and writes, in the same order", () => {
    expect([...inputs.keys()]).toEqual([...contract.ENROLL_INPUTS]);
    expect(outputNames).toEqual([...contract.ENROLL_OUTPUTS]);
  });

  test("require what the code requires", () => {
    const required = [...inputs].filter(([, field]) => field.isRequired).map(([name]) => name);
    expect(required).toEqual([...contract.REQUIRED_ENROLL_INPUTS]);
  });

  test("offer the values the code knows, the default first", () => {
    expect(optionValues("sender_mode")).toEqual([...contract.SENDER_MODES]);
    expect(optionValues("if_already_enrolled")).toEqual([...contract.IF_ALREADY_ENROLLED]);
  });

  test("come with the contact's properties the code reads", () => {
    expect(enroll.objectTypes).toEqual(["CONTACT"]);
    expect(enroll.objectRequestOptions.properties).toEqual([...contract.REQUESTED_PROPERTIES]);
  });

  test("are all texts on the way out", () => {
    for (const { typeDefinition } of enroll.outputFields)
      expect(typeDefinition).toMatchObject({ type: "string", fieldType: "text" });
    expect(outputNames).not.toContain("hs_execution_state");
  });

  test("a drop-down has either fixed options or a URL that answers them", () => {
    for (const { typeDefinition } of enroll.inputFields) {
      const sources = ["options", "optionsUrl"].filter((key) => key in typeDefinition);
      expect(sources).toHaveLength(typeDefinition.type === "enumeration" ? 1 : 0);
    }
  });

  test("an input shown for one choice only depends on inputs and choices that exist", () => {
    for (const dependency of enroll.inputFieldDependencies) {
      expect([...inputs.keys()]).toEqual(
        expect.arrayContaining([dependency.controllingFieldName, ...dependency.dependentFieldNames]),
      );
      expect(optionValues(dependency.controllingFieldName)).toContain(dependency.controllingFieldValue);
      for (const name of dependency.dependentFieldNames) expect(inputs.get(name)?.isRequired).toBe(false);
    }
    expect(enroll.inputFieldDependencies).toContainEqual(
      expect.objectContaining({
        controllingFieldValue: "specific_user",
        dependentFieldNames: ["sender_user_id"],
      }),
    );
  });
});

describe("what people read", () => {
  test("each input has a label and a description, each output a label", () => {
    expect(Object.keys(labels.inputFieldLabels)).toEqual([...inputs.keys()]);
    expect(Object.keys(labels.inputFieldDescriptions)).toEqual([...inputs.keys()]);
    expect(Object.keys(labels.outputFieldLabels)).toEqual(outputNames);
  });

  test("no text is empty, and each option has one of its own", () => {
    const texts = [
      labels.inputFieldLabels,
      labels.inputFieldDescriptions,
      labels.outputFieldLabels,
      labels.executionRules,
    ];
    for (const text of texts.flatMap((group) => Object.values(group)))
      expect(text.trim()).toMatch(/^\S.+\S$/);
    for (const field of enroll.inputFields) {
      const optionLabels = optionsOf(field).map(({ label }) => label);
      expect(new Set(optionLabels).size).toBe(optionLabels.length);
    }
  });

  test("texts name only inputs (the card) and outputs (the history) that exist", () => {
    expect([...inputs.keys()]).toEqual(
      expect.arrayContaining(placeholders(labels.actionCardContent, LABEL_VARIABLE)),
    );
    expect(outputNames).toEqual(expect.arrayContaining(placeholders(labels.executionRules, LABEL_VARIABLE)));
  });

  test("a line of the workflow's history fits one line", () => {
    for (const text of Object.values(labels.executionRules)) expect(text.length).toBeLessThanOrEqual(80);
  });
});

describe("execution rules", () => {
  const rules = enroll.executionRules;
  /** HubSpot shows the label of the first rule that matches. */
  const shownFor = (outputs: Texts): string | undefined =>
    rules.find(({ conditions }) =>
      Object.entries(conditions).every(([name, value]) => outputs[name] === value),
    )?.labelName;

  test("every rule has a label, every label a rule", () => {
    expect(rules.map(({ labelName }) => labelName)).toEqual(Object.keys(labels.executionRules));
  });

  test("conditions name one declared output and a value it can have", () => {
    const values: Record<string, readonly string[]> = {
      enrollment_status: contract.ENROLLMENT_STATUSES,
      error_code: ERROR_CODES,
    };
    for (const { conditions } of rules) {
      expect(Object.keys(conditions)).toHaveLength(1);
      for (const [name, value] of Object.entries(conditions)) {
        expect(outputNames).toContain(name);
        expect(values[name]).toContain(value);
      }
    }
  });

  test.each(ERROR_CODES)("a failure with %s shows a line of its own", (code) => {
    expect(shownFor({ enrollment_status: "FAILED", error_code: code })).toBe(code);
    expect(rules.filter(({ conditions }) => conditions["error_code"] === code)).toHaveLength(1);
  });

  test("successes and outcomes without a code have a line as well", () => {
    expect(shownFor({ enrollment_status: "ENROLLED", error_code: "" })).toBe("enrolled");
    expect(shownFor({ enrollment_status: "ALREADY_ENROLLED", error_code: "" })).toBe("already_enrolled");
    expect(shownFor({ enrollment_status: "SKIPPED", error_code: "" })).toBe("skipped");
    expect(shownFor({ enrollment_status: "FAILED", error_code: "" })).toBe("failed");
    expect(placeholders(labels.executionRules["enrolled"], LABEL_VARIABLE)).toEqual([
      "sequence_name",
      "sender_email",
    ]);
  });
});

const specFile = path.join(
  process.env["HUBSPOT_SPEC_DIR"] ?? "../shared/hubspot-spec",
  "actions.2026-09.json",
);
const hasSpec = existsSync(specFile);
const testWithSpec = hasSpec ? test : test.skip;

describe("HubSpot's own description of an action (actions.2026-09.json)", () => {
  test("is at hand wherever this runs as a gate", () => {
    if (!hasSpec)
      console.warn(`SKIPPED: the enroll action is not checked against ${specFile}; set HUBSPOT_SPEC_DIR.`);
    expect(hasSpec || process.env["CI"] !== "true").toBe(true);
  });

  testWithSpec("accepts the enroll action, with no key it does not know", () => {
    const validate = definitionValidator(readJson(specFile));
    validate(asDefinition(enroll));
    expect(validate.errors ?? []).toEqual([]);
  });

  const spoilings: [string, (config: ActionConfig) => unknown][] = [
    [
      "field type",
      ({ inputFields }) => Object.assign(inputFields[0]?.typeDefinition ?? {}, { fieldType: "dropdown" }),
    ],
    [
      "value type",
      ({ inputFields }) => Object.assign(inputFields[0] ?? {}, { supportedValueTypes: ["STATIC"] }),
    ],
    [
      "dependency",
      ({ inputFieldDependencies }) =>
        Object.assign(inputFieldDependencies[0] ?? {}, { dependencyType: "IF" }),
    ],
    [
      "output type",
      ({ outputFields }) => Object.assign(outputFields[0]?.typeDefinition ?? {}, { type: "text" }),
    ],
    ["key", (config) => Object.assign(config.labels.en, { inputFieldHints: {} })],
  ];
  testWithSpec.each(spoilings)("would refuse a wrong %s", (_what, spoil) => {
    const validate = definitionValidator(readJson(specFile));
    const copy = structuredClone(enroll);
    spoil(copy);
    expect(validate(asDefinition(copy))).toBe(false);
  });
});

/** The project file as the definitions API spells it: `published`, no `supportedClients`, `functions` and `options` present. */
function asDefinition({ isPublished, supportedClients: _, ...config }: ActionConfig): unknown {
  const withOptions = (field: Field): Field => ({
    ...field,
    typeDefinition: { options: [], ...field.typeDefinition },
  });
  return {
    ...config,
    published: isPublished,
    functions: [],
    inputFields: config.inputFields.map(withOptions),
    outputFields: config.outputFields.map(withOptions),
  };
}

interface SpecSchema {
  properties?: Record<string, object>;
  additionalProperties?: unknown;
}

/**
 * The schema for creating a definition, made strict: no unknown keys. Two parts of the file describe HubSpot's answers,
 * not what is sent, and are replaced: a rule's conditions (typed `object`, sent as texts or lists of texts) and the type
 * of an output (the file demands internal fields such as `useChirp`; an input's type has the same keys without them).
 */
function definitionValidator(spec: {
  components: { schemas: Record<string, SpecSchema> };
}): ValidateFunction {
  const { schemas } = spec.components;
  for (const schema of Object.values(schemas)) {
    if (schema.properties !== undefined) schema.additionalProperties ??= false;
  }
  Object.assign(schemas["PublicExecutionTranslationRule"]?.properties?.["conditions"] ?? {}, {
    additionalProperties: { type: ["string", "array"] },
  });
  Object.assign(schemas["OutputFieldDefinition"]?.properties?.["typeDefinition"] ?? {}, {
    $ref: "#/components/schemas/PublicFieldTypeDefinition",
  });
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  return ajv.compile({ $ref: "#/components/schemas/PublicActionDefinitionEgg", components: { schemas } });
}
