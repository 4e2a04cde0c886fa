import type { OpenQuestions } from "../world/open-questions.js";
import { refuse, type Answer } from "../wire/answer.js";
import type { ApiCall } from "./call.js";

/** One reason to refuse an enrollment, in the ways HubSpot may report it. */
export interface EnrollRefusal {
  /** Undefined: HubSpot gives it no name. */
  readonly code: string | undefined;
  readonly message: string;
  /** The same in other words. */
  readonly otherWords?: string;
}

const NEUTRAL_WORDS = "The request could not be processed.";
/** Odd values for the other members of the answer. */
const ODD: Readonly<Record<Exclude<OpenQuestions["refusalMembers"], "documented">, unknown>> = {
  null: null,
  object: { value: [null, 1] },
  number: 7,
};
const PLACES = ["subCategory", "errorType", "errors", "context", "policyName"];

function wordsOf(
  { message, otherWords = message }: EnrollRefusal,
  words: OpenQuestions["refusalWords"],
): string {
  if (words === "neutral") return NEUTRAL_WORDS;
  return words === "other" ? otherWords : message;
}

/** The error name, in the place the world's settings say. */
function named(code: string, message: string, place: OpenQuestions["refusalName"]): Record<string, unknown> {
  switch (place) {
    case "subCategory":
    case "errorType":
      return { message, [place]: code };
    case "errors.subCategory":
    case "errors.errorType":
    case "errors.code":
      return { message, errors: [{ message: NEUTRAL_WORDS, [place.slice("errors.".length)]: code }] };
    case "context":
      return { message, context: { errorCode: [code] } };
    case "message":
      return { message: `${code}: ${message}` };
    case "message-end":
      return { message: `Enrollment failed: ${code}` };
    case "nowhere":
      return { message };
  }
}

/** 400 with HubSpot's error envelope; where it holds the reason is an open question. */
export function refuseEnrollment({ world }: Pick<ApiCall, "world">, refusal: EnrollRefusal): Answer {
  const { refusalName, refusalWords, refusalMembers } = world.settings.openQuestions;
  const message = wordsOf(refusal, refusalWords);
  const told = refusal.code === undefined ? { message } : named(refusal.code, message, refusalName);
  const odd =
    refusalMembers === "documented"
      ? {}
      : Object.fromEntries(PLACES.map((name) => [name, ODD[refusalMembers]]));
  return refuse(400, { category: "VALIDATION_ERROR", message, ...odd, ...told });
}
