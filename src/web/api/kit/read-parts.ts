import type { Request } from "express";
import { z } from "zod";
import { cutText } from "#platform/text/storable-text.js";
import { checkBody, checkParameters, type Checked } from "./check-parts.js";
import type { AnyEndpoint, ApiCall } from "./endpoint.js";
import { refusal, RefusedCall, type FieldProblem } from "./problem.js";
import { chooseReader, readJsonBody } from "./read-json.js";

type Parts = Pick<ApiCall<unknown, unknown, unknown>, "params" | "query" | "body" | "streamed"> & {
  /** The bytes of the body; undefined if there is none, or if it is streamed. */
  readonly bytes: Buffer | undefined;
};

const NO_PARAMETERS = z.strictObject({});
const NO_BODY = z.strictObject({}).optional();

/**
 * Reads and checks all parts of a request by the endpoint's schemas.
 *
 * @throws RefusedCall: 404 for a path that names nothing, 400 for a query, 422 for a body that does not fit, with every
 *   problem of that part; 413, 415 or 400 for a body that is not read.
 */
export async function readParts(endpoint: AnyEndpoint, request: Request): Promise<Parts> {
  const params = checkParameters(endpoint.params ?? NO_PARAMETERS, request.params);
  if (params.kind === "wrong") throw new RefusedCall(refusal("NOT_FOUND"));
  // Express parses it again each time it is read.
  const given = request.query;
  const query = checkParameters(endpoint.query ?? NO_PARAMETERS, given);
  const strange = Object.entries(given).filter(([, value]) => !isStorable(value));
  if (strange.length > 0)
    throw invalid(
      400,
      strange.map(([name]) => ({ parameter: name, detail: "This has characters that are not text." })),
    );
  const { body, bytes, streamed } = await readBody(endpoint, request);
  const [queryValue, bodyValue] = [valueOf(query, 400), valueOf(body, 422)];
  return { params: params.value, query: queryValue, body: bodyValue, bytes, streamed };
}

/** PostgreSQL takes no NUL and no half of a surrogate pair; of a JSON body its parser takes care. */
function isStorable(value: unknown): boolean {
  return [value].flat().every((text) => typeof text !== "string" || cutText(text, text.length) === text);
}

async function readBody(
  endpoint: AnyEndpoint,
  request: Request,
): Promise<{ body: Checked<unknown>; bytes: Buffer | undefined; streamed: Request | undefined }> {
  const nothing = { body: { kind: "fits", value: undefined } as const, bytes: undefined };
  const streams = Object.keys(endpoint.streams ?? {});
  switch (chooseReader(request, { json: endpoint.body !== undefined, streams })) {
    case "none":
      return { ...nothing, streamed: undefined };
    case "stream":
      return { ...nothing, streamed: request };
    case "json": {
      const { bytes, json } = await readJsonBody(request);
      return { body: checkBody(endpoint.body ?? NO_BODY, json), bytes, streamed: undefined };
    }
  }
}

function valueOf(checked: Checked<unknown>, status: number): unknown {
  if (checked.kind === "wrong") throw invalid(status, checked.problems);
  return checked.value;
}

function invalid(status: number, errors: readonly FieldProblem[]): RefusedCall {
  return new RefusedCall(refusal("INVALID_REQUEST", { status, errors }));
}
