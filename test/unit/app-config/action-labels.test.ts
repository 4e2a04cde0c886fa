import { describe, expect, test } from "@jest/globals";
import {
  labelVariables,
  readActions,
  type ActionConfig,
  type ActionLabels,
} from "../../support/hubspot-project.js";

/** Languages of HubSpot's workflow editor that the actions speak. */
const LOCALES = ["en", "de", "fr", "es", "ja", "pt-br"];
const TRANSLATIONS = LOCALES.filter((locale) => locale !== "en");
const ACTIONS = [...readActions()];

/** Every text of one language by where it stands, e.g. `executionRules.BOUNCED`. */
function textsOf(labels: object, path = ""): Map<string, string> {
  return new Map(
    Object.entries(labels).flatMap(([key, value]: [string, unknown]) =>
      typeof value === "object" && value !== null
        ? [...textsOf(value, `${path}${key}.`)]
        : [[`${path}${key}`, String(value)] as const],
    ),
  );
}

const namesOf = (fields: ActionConfig["inputFields"]): string[] =>
  fields.map(({ typeDefinition }) => typeDefinition.name);

describe.each(ACTIONS)("the labels of %s", (_name, config) => {
  const { en } = config.labels;
  const english = textsOf(en);
  const inLocale = (locale: string): ActionLabels => {
    const labels = config.labels[locale];
    if (labels === undefined) throw new Error(`there are no labels in ${locale}`);
    return labels;
  };

  test("are there in six languages", () => {
    expect(Object.keys(config.labels)).toEqual(LOCALES);
  });

  test("name and describe each input, and name each output and each option", () => {
    const inputs = namesOf(config.inputFields);
    expect(Object.keys(en.inputFieldLabels)).toEqual(inputs);
    expect(Object.keys(en.inputFieldDescriptions)).toEqual(inputs);
    expect(Object.keys(en.outputFieldLabels)).toEqual(namesOf(config.outputFields));
    const options = config.inputFields.flatMap(({ typeDefinition: { name, options } }) =>
      options === undefined
        ? []
        : [[name, Object.fromEntries(options.map(({ value, label }) => [value, label]))] as const],
    );
    expect(en.inputFieldOptionLabels ?? {}).toEqual(Object.fromEntries(options));
  });

  test.each(LOCALES)("say something everywhere, once, in %s", (locale) => {
    const labels = inLocale(locale);
    for (const [where, text] of textsOf(labels)) {
      expect([where, text.trim()]).toEqual([where, text]);
      expect([where, text]).not.toEqual([where, ""]);
    }
    const groups = [
      ...Object.values(labels.inputFieldOptionLabels ?? {}),
      ...[labels.inputFieldLabels, labels.outputFieldLabels, labels.executionRules],
    ];
    for (const texts of groups.map((group) => Object.values(group)))
      expect(new Set(texts).size).toBe(texts.length);
  });

  test.each(TRANSLATIONS)("have the same keys and the same placeholders in %s", (locale) => {
    const texts = textsOf(inLocale(locale));
    expect([...texts.keys()]).toEqual([...english.keys()]);
    for (const [where, text] of texts)
      expect([where, labelVariables(text)]).toEqual([where, labelVariables(english.get(where))]);
  });

  test.each(TRANSLATIONS)("are translated into %s", (locale) => {
    // The app's name is the same everywhere; single words may be.
    const untranslated = [...textsOf(inLocale(locale))].filter(
      ([where, text]) => where !== "appDisplayName" && text.includes(" ") && text === english.get(where),
    );
    expect(untranslated).toEqual([]);
  });

  test("fill in only inputs on the card, and only outputs in the history", () => {
    expect(namesOf(config.inputFields)).toEqual(expect.arrayContaining(labelVariables(en.actionCardContent)));
    expect(namesOf(config.outputFields)).toEqual(expect.arrayContaining(labelVariables(en.executionRules)));
  });

  test.each(LOCALES)("keep a line of the workflow's history short in %s", (locale) => {
    const limit = locale === "en" ? 80 : 100;
    for (const text of Object.values(inLocale(locale).executionRules))
      expect(text.length).toBeLessThanOrEqual(limit);
  });
});
