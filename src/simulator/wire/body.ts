import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.js";

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Reads the whole request body as text. Rejects if the caller disconnects first. */
export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    request.on("error", reject);
  });
}

/** Undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member as text: HubSpot takes numbers where it documents strings. Undefined for anything else. */
export function textOf(record: JsonRecord, name: string): string | undefined {
  const value = record[name];
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/** Writes an answer; a caller that has already gone is not an error. */
export function send(
  response: ServerResponse,
  answer: Answer,
  extraHeaders: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const headers: Record<string, string | number> = { ...extraHeaders, ...answer.headers };
  let text = "";
  if (answer.html !== undefined) {
    headers["content-type"] = "text/html; charset=utf-8";
    text = answer.html;
  } else if (answer.body !== undefined) {
    headers["content-type"] = "application/json;charset=utf-8";
    text = JSON.stringify(answer.body);
  }
  if (answer.status !== 204) headers["content-length"] = Buffer.byteLength(text);
  response.writeHead(answer.status, headers);
  response.end(text);
}
