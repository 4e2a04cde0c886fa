import { GrowingBuffer } from "#platform/text/growing-buffer.js";
import { HubSpotUnavailable } from "./errors.js";

/** More than any page of HubSpot's lists: a larger answer is not HubSpot's. */
export const MAX_BYTES = 8 * 1024 * 1024;

export function tooLarge(status: number, maxBytes: number): HubSpotUnavailable {
  return new HubSpotUnavailable(`HubSpot answered ${status} with more than ${maxBytes} bytes`);
}

/**
 * The text of an answer.
 *
 * @throws HubSpotUnavailable if it is too large to be HubSpot's; the connection is then dropped.
 * @throws what `fetch` throws if the connection breaks.
 */
export async function readText({ body, status }: Response, maxBytes = MAX_BYTES): Promise<string> {
  if (body === null) return "";
  const bytes = new GrowingBuffer();
  for await (const piece of body) {
    if (bytes.size + piece.length > maxBytes) throw tooLarge(status, maxBytes);
    bytes.add(piece);
  }
  return new TextDecoder().decode(bytes.content());
}
