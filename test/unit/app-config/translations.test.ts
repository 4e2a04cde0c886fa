import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { PROJECT, readActions, readJson } from "../../support/hubspot-project.js";

/** app-config/translations.json: which English the translations follow, and who has read each language. */
interface Translations {
  readonly readBySomebodyWhoSpeaksIt: Readonly<Record<string, boolean>>;
  readonly followsEnglish: Readonly<Record<string, string>>;
}

const noted = readJson<Translations>(PROJECT, "translations.json");
const digestOf = (labels: object): string =>
  createHash("sha256").update(JSON.stringify(labels)).digest("hex").slice(0, 16);

test.each([...readActions()])(
  "the translations of %s follow its English as it reads today",
  (name, config) => {
    const now = digestOf(config.labels.en);
    const told =
      "Translate what changed in all languages, then note the new digest in app-config/translations.json.";
    expect([noted.followsEnglish[name], told]).toEqual([now, told]);
  },
);

test("each language says whether somebody who speaks it has read it", () => {
  const languages = new Set([...readActions()].flatMap(([, { labels }]) => Object.keys(labels)));
  languages.delete("en");
  expect(new Set(Object.keys(noted.readBySomebodyWhoSpeaksIt))).toEqual(languages);
});
