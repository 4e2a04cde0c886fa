import type { ServerResponse } from "node:http";
import type { Delays } from "../world/delays.js";
import type { Answer } from "./answer.js";

/** The bytes of an answer's body; empty for one without. */
function bodyOf({ body, html }: Answer): Buffer {
  return Buffer.from(html ?? (body === undefined ? "" : JSON.stringify(body)));
}

/** Announces the full length of the body, as an intact answer does. */
function beginAnswer(
  response: ServerResponse,
  answer: Answer,
  { headers, bytes }: { headers: Readonly<Record<string, string>>; bytes: number },
): void {
  const type = answer.html === undefined ? "application/json;charset=utf-8" : "text/html; charset=utf-8";
  response.writeHead(answer.status, {
    ...headers,
    ...answer.headers,
    "content-type": type,
    "content-length": bytes,
  });
  response.flushHeaders();
}

/** Sends the headers and half the body, or half of the first line if there is no body; then nothing, forever. */
export function sendHalf(
  response: ServerResponse,
  answer: Answer,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return;
  const body = bodyOf(answer);
  if (body.length === 0) {
    response.socket?.write(`HTTP/1.1 ${answer.status} `);
    return;
  }
  beginAnswer(response, answer, { headers, bytes: body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)));
}

/** Sends the headers at once and the body a byte at a time; what has no body arrives whole. */
export function trickle(
  response: ServerResponse,
  answer: Answer,
  pace: { headers: Readonly<Record<string, string>>; delays: Delays; byteMs: number },
): void {
  if (response.destroyed) return;
  const body = bodyOf(answer);
  if (body.length === 0) {
    response.writeHead(answer.status, { ...pace.headers, ...answer.headers }).end();
    return;
  }
  beginAnswer(response, answer, { headers: pace.headers, bytes: body.length });
  const sendFrom = (index: number): void => {
    if (response.destroyed) return;
    if (index >= body.length) {
      response.end();
      return;
    }
    response.write(body.subarray(index, index + 1));
    pace.delays.schedule(pace.byteMs, () => {
      sendFrom(index + 1);
    });
  };
  sendFrom(0);
}
