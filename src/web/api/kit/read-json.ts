import type { Request } from "express";
import { isDeeperThan } from "#platform/text/json-depth.js";
import { parseStorableJson } from "#platform/text/storable-json.js";
import { collectBody } from "#web/kit/body/collect-body.js";
import { refusal, RefusedCall } from "./problem.js";

/** Bodies above this are refused unread; what is longer is streamed (`streams` of an endpoint). */
export const MAX_BODY_BYTES = 256 * 1024;
/** Levels of nesting: far more than any of our schemas has. */
export const MAX_DEPTH = 20;

/** The bytes of a JSON body, and what they say. */
export interface JsonBody {
  readonly bytes: Buffer;
  readonly json: unknown;
}

/** The media type of a request's body, without its parameters; empty if it names none. */
export function mediaTypeOf({ headers }: Pick<Request, "headers">): string {
  return (headers["content-type"]?.slice(0, 200).split(";", 1)[0] ?? "").trim().toLowerCase();
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** @throws RefusedCall: 413 if it is too large, 400 if it cannot be read. */
export async function readJsonBody(request: Request): Promise<JsonBody> {
  const bytes = await readBytes(request);
  if (isDeeperThan(MAX_DEPTH, bytes)) throw unreadable("The JSON is nested too deeply.");
  try {
    return { bytes, json: parseStorableJson(UTF_8.decode(bytes)) };
  } catch {
    throw unreadable("The body is not JSON in UTF-8.");
  }
}

function unreadable(detail: string): RefusedCall {
  return new RefusedCall(refusal("INVALID_REQUEST", { detail }));
}

/** Never settles if the caller hangs up: nothing may be held meanwhile. */
function readBytes(request: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    collectBody(request, { maxBytes: MAX_BODY_BYTES }, (end) => {
      if (end.kind === "whole") resolve(end.body);
      else
        reject(
          new RefusedCall(
            refusal("PAYLOAD_TOO_LARGE", { detail: `A body has ${MAX_BODY_BYTES / 1024} KiB at most.` }),
          ),
        );
    });
  });
}

/**
 * Decides how a request's body is read.
 *
 * @throws RefusedCall, 415, for a type that the endpoint does not take, and for anything compressed.
 */
export function chooseReader(
  request: Request,
  takes: { json: boolean; streams: readonly string[] },
): "none" | "json" | "stream" {
  const { headers } = request;
  const type = mediaTypeOf(request);
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if ((headers["content-encoding"] ?? "identity") !== "identity")
    throw wrongType("A compressed body is not read here.");
  if (takes.streams.includes(type)) return "stream";
  if (takes.json && type === "application/json") return "json";
  const types = [...(takes.json ? ["application/json"] : []), ...takes.streams];
  if (types.length > 0) throw wrongType(`Send ${types.join(" or ")}.`);
  if (hasBody && type !== "application/json") throw wrongType("This request takes no body.");
  return hasBody ? "json" : "none";
}

function wrongType(detail: string): RefusedCall {
  return new RefusedCall(refusal("UNSUPPORTED_MEDIA_TYPE", { detail }));
}
