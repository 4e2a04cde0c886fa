import { createHash } from "node:crypto";
import type { EnrollmentWish } from "#domain/enrollments/enrollment-wish.js";
import { isDeeperThan } from "#platform/text/json-depth.js";
import { parseStorableJson } from "#platform/text/storable-json.js";
import { checkBody } from "#web/api/kit/check-parts.js";
import { MAX_DEPTH } from "#web/api/kit/read-json.js";
import type { NumberedRow, RowAnswer } from "#web/api/kit/stream/rows-once.js";
import type { Line } from "#web/api/kit/stream/split-lines.js";
import { enrollmentBody } from "../enrollment-body.js";

/** Of a batch. */
export const BATCH_LIMITS = { rows: 50_000, rowBytes: 16 * 1024 };

/** A row as it was read: an enrollment that is asked for, or what is wrong with the row's form. */
export interface ReadRow extends NumberedRow {
  readonly content: EnrollmentWish | Refused;
}

export type Refused = Extract<RowAnswer, { status: "REFUSED" }>;

export const isRefused = (content: ReadRow["content"]): content is Refused => "status" in content;

const refused = (code: Refused["code"], detail: string): Refused => ({ status: "REFUSED", code, detail });

const PROBLEMS = {
  "too-long": refused("PAYLOAD_TOO_LARGE", `A row has ${BATCH_LIMITS.rowBytes / 1024} KiB at most.`),
  "not-text": refused("INVALID_REQUEST", "The row is not text in UTF-8."),
} as const;

/** Reads a line of a batch as a row. */
export function readRow(line: Line, index: number): ReadRow {
  const says = "text" in line ? line.text : line.problem;
  const digest = createHash("sha256").update(says).digest("base64url").slice(0, 16);
  return { index, digest, content: "text" in line ? readWish(line.text) : PROBLEMS[line.problem] };
}

function readWish(text: string): EnrollmentWish | Refused {
  if (isDeeperThan(MAX_DEPTH, Buffer.from(text)))
    return refused("INVALID_REQUEST", "It is nested too deeply.");
  try {
    const checked = checkBody(enrollmentBody, parseStorableJson(text));
    if (checked.kind === "fits") return checked.value;
    const details = checked.problems.map(({ pointer = "", detail }) => `${pointer}: ${detail}`);
    return refused("INVALID_REQUEST", details.join(" ").replace(/^: /, ""));
  } catch {
    return refused("INVALID_REQUEST", "The row is not JSON.");
  }
}
