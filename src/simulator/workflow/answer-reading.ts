import { isRecord, parseJson, textOf } from "../wire/body.js";
import type { ExecutionState } from "./execution.js";
import type { OutboundAnswer } from "./outbound.js";

/** How HubSpot reads an answer to an execution request (docs/hubspot.md §3.5). */
export type Reading =
  | {
      readonly kind: "decided";
      readonly state: ExecutionState;
      readonly outputs: Readonly<Record<string, string>>;
    }
  | { readonly kind: "retry"; readonly afterMs: number | undefined };

export function readAnswer(answer: OutboundAnswer): Reading {
  if (answer.kind === "unreachable") return { kind: "retry", afterMs: undefined };
  const { status } = answer;
  if (status === 429) return { kind: "retry", afterMs: retryAfterMs(answer.headers["retry-after"]) };
  if (status >= 500) return { kind: "retry", afterMs: undefined };
  if (status < 200 || status >= 300) return { kind: "decided", state: "refused", outputs: {} };
  const outputs = outputsOf(answer.body);
  return { kind: "decided", state: stateOf(outputs["hs_execution_state"] ?? "SUCCESS"), outputs };
}

/** A 2xx counts as success even when its body is not JSON. */
function outputsOf(body: string): Record<string, string> {
  const parsed = parseJson(body);
  const fields = isRecord(parsed) ? parsed["outputFields"] : undefined;
  if (!isRecord(fields)) return {};
  return Object.fromEntries(Object.keys(fields).map((name) => [name, textOf(fields, name) ?? ""]));
}

function stateOf(text: string): ExecutionState {
  switch (text) {
    case "BLOCK":
    case "ASYNC":
      return "blocked";
    case "FAIL_CONTINUE":
      return "failed";
    default:
      return "succeeded";
  }
}

/** HubSpot reads `Retry-After` from apps as milliseconds (docs/hubspot.md §3.5). */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const value = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
