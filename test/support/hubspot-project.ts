import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A component file as far as tests read it; one test holds the actions to HubSpot's own schema. */
export interface Component<Config = unknown> {
  readonly uid: string;
  readonly type: string;
  readonly config: Config;
}

export interface Field {
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

export type Texts = Record<string, string>;

/** What one language shows of an action. */
export interface ActionLabels {
  actionName: string;
  actionDescription: string;
  actionCardContent: string;
  appDisplayName: string;
  inputFieldLabels: Texts;
  inputFieldDescriptions: Texts;
  inputFieldOptionLabels?: Record<string, Texts>;
  outputFieldLabels: Texts;
  executionRules: Texts;
}

export interface ActionConfig {
  readonly actionUrl: string;
  readonly isPublished: boolean;
  readonly supportedClients: { client: string }[];
  readonly objectTypes: string[];
  readonly objectRequestOptions: { properties: string[] };
  readonly inputFields: Field[];
  readonly inputFieldDependencies?: {
    dependencyType: string;
    controllingFieldName: string;
    controllingFieldValue: string;
    dependentFieldNames: string[];
  }[];
  readonly outputFields: Field[];
  readonly executionRules: { labelName: string; conditions: Record<string, string | string[]> }[];
  readonly labels: Record<string, ActionLabels> & { en: ActionLabels };
}

/** The project that HubSpot's CLI uploads. */
export const PROJECT = path.resolve("app-config");

export function readJson<Content>(...segments: string[]): Content {
  return JSON.parse(readFileSync(path.join(...segments), "utf8")) as Content;
}

/** Every `-hsmeta.json` of the project, by its path below `src/`. */
export function readComponents(): Map<string, Component> {
  const source = path.join(PROJECT, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("-hsmeta.json"),
  );
  return new Map(files.map((file) => [file.split(path.sep).join("/"), readJson(source, file)]));
}

/** The workflow actions, by the name of their file without its ending. */
export function readActions(): Map<string, ActionConfig> {
  const room = "app/workflow-actions/";
  return new Map(
    [...readComponents()]
      .filter(([file]) => file.startsWith(room))
      .map(([file, { config }]) => [file.slice(room.length, -"-hsmeta.json".length), config as ActionConfig]),
  );
}

const PROFILE_VARIABLE = /\$\{(.*?)\}/g;
const LABEL_VARIABLE = /\{\{(.*?)\}\}/g;

/** Names that HubSpot's CLI replaces from the profile anywhere in a value. */
export const profileVariables = (value: unknown): string[] => placeholders(value, PROFILE_VARIABLE);

/** Names of inputs or outputs that HubSpot fills into a text. */
export const labelVariables = (value: unknown): string[] => placeholders(value, LABEL_VARIABLE);

function placeholders(value: unknown, pattern: RegExp): string[] {
  return [...new Set([...JSON.stringify(value).matchAll(pattern)].map((match) => match[1] ?? ""))].sort();
}
