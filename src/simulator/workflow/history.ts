import { readFileSync } from "node:fs";
import { isRecord, parseJson } from "../wire/body.js";
import type { Execution, ExecutionState } from "./execution.js";

/** The parts of an action's `-hsmeta.json` that decide what a workflow's history shows (docs/hubspot.md §3.3). */
export interface ActionDefinition {
  readonly config: {
    readonly executionRules?: readonly {
      readonly labelName: string;
      readonly conditions: Readonly<Record<string, unknown>>;
    }[];
    readonly labels?: Readonly<
      Record<string, { readonly executionRules?: Readonly<Record<string, string>> }>
    >;
  };
}

const GENERIC: Readonly<Record<ExecutionState, string>> = {
  waiting: "Action is running",
  blocked: "Action is waiting for the app",
  succeeded: "Action succeeded",
  failed: "Action failed",
  refused: "Action failed: the app answered with an error",
  unreachable: "Action failed: the app could not be reached",
  completed: "Action succeeded",
  expired: "Action expired and was skipped",
};

/**
 * Reads an action definition from the project files.
 *
 * @throws Error when the file is missing or is no action definition.
 */
export function loadActionDefinition(file: string): ActionDefinition {
  const parsed = parseJson(readFileSync(file, "utf8"));
  if (!isRecord(parsed) || !isRecord(parsed["config"])) throw new Error(`${file} is no action definition`);
  return parsed as unknown as ActionDefinition;
}

/**
 * The label of the first rule whose conditions all hold, its `{{ output }}` places filled in; otherwise a generic line.
 */
export function historyLabel(
  definition: ActionDefinition | undefined,
  { state, outputs }: Pick<Execution, "state" | "outputs">,
): string {
  const rule = definition?.config.executionRules?.find(({ conditions }) =>
    Object.entries(conditions).every(([name, wanted]) =>
      [wanted]
        .flat()
        .map(String)
        .includes(outputs[name] ?? ""),
    ),
  );
  const label = rule && definition?.config.labels?.["en"]?.executionRules?.[rule.labelName];
  if (label === undefined)
    return outputs["hs_execution_state"] === "FAIL_CONTINUE" ? GENERIC.failed : GENERIC[state];
  return label.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_place, name: string) => outputs[name] ?? "");
}
