import { invalid, ok, type Answer } from "../wire/answer.js";
import { isRecord, type JsonRecord } from "../wire/body.js";

/** HubSpot's convention for every batch. */
const MOST_INPUTS = 100;

/** The inputs of a batch request, or the refusal of a body that has none or too many. */
export function batchInputs(body: unknown): JsonRecord[] | Answer {
  const inputs = isRecord(body) ? body["inputs"] : undefined;
  if (!Array.isArray(inputs)) return invalid("Some required fields were not set: [inputs]");
  if (inputs.length > MOST_INPUTS) return invalid(`A batch may hold at most ${MOST_INPUTS} inputs`);
  return inputs.filter(isRecord);
}

/** 200 if every input was found; otherwise 207 with the ids of those that were not. */
export function batchAnswer({
  results,
  missing,
  message,
  nowMs,
}: {
  readonly results: readonly unknown[];
  readonly missing: readonly string[];
  /** HubSpot's words about the missing ones. */
  readonly message: string;
  readonly nowMs: number;
}): Answer {
  const at = new Date(nowMs).toISOString();
  const summary = { status: "COMPLETE", results, startedAt: at, completedAt: at };
  if (missing.length === 0) return ok(summary);
  const error = {
    status: "error",
    category: "OBJECT_NOT_FOUND",
    message,
    context: { ids: missing },
    errors: [],
    links: {},
  };
  return { status: 207, body: { ...summary, numErrors: 1, errors: [error] } };
}
