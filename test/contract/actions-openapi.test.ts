import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import { readActions, readJson, type ActionConfig, type Field } from "../support/hubspot-project.js";

const ACTIONS = [...readActions()];

const specFile = path.join(
  process.env["HUBSPOT_SPEC_DIR"] ?? "../shared/hubspot-spec",
  "actions.2026-09.json",
);
const hasSpec = existsSync(specFile);
const testWithSpec = hasSpec ? test : test.skip;

describe("HubSpot's own description of an action (actions.2026-09.json)", () => {
  test("is available wherever this runs as a gate", () => {
    if (!hasSpec)
      console.warn(`SKIPPED: the actions are not checked against ${specFile}; set HUBSPOT_SPEC_DIR.`);
    expect(hasSpec || process.env["CI"] !== "true").toBe(true);
  });

  testWithSpec.each(ACTIONS)("accepts %s, with no key it does not know", (_name, config) => {
    const validate = definitionValidator(readJson(specFile));
    validate(asDefinition(config));
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
        Object.assign(inputFieldDependencies?.[0] ?? {}, { dependencyType: "IF" }),
    ],
    [
      "output type",
      ({ outputFields }) => Object.assign(outputFields[0]?.typeDefinition ?? {}, { type: "text" }),
    ],
    ["key", (config) => Object.assign(config.labels.en, { inputFieldHints: {} })],
  ];
  testWithSpec.each(spoilings)("would refuse a wrong %s", (_what, spoil) => {
    const validate = definitionValidator(readJson(specFile));
    const copy = structuredClone(readActions().get("enroll")!);
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
