import { GrowingBuffer } from "#platform/text/growing-buffer.js";
import { HubSpotUnavailable } from "./errors.js";

/** More than any page of HubSpot's lists: a larger answer is not HubSpot's. */
export const MAX_BYTES = 8 * 1024 * 1024;

export function tooLarge(status: number, maxBytes: number): HubSpotUnavailable {
  return new HubSpotUnavailable(`HubSpot answered ${status} with more than ${maxBytes} bytes`);
}

/**
 * An answer whose bytes have all arrived. The streams that a Response makes for its body cost six times as much as all
 * the rest of it, and their leftovers more.
 */
export class WholeResponse extends Response {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, init: ResponseInit) {
    super(null, init);
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  override text(): Promise<string> {
    return Promise.resolve(new TextDecoder().decode(this.#bytes));
  }

  override async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }
}

/**
 * The text of an answer.
 *
 * @throws HubSpotUnavailable if it is too large to be HubSpot's; the connection is then dropped.
 * @throws what `fetch` throws if the connection breaks.
 */
export async function readText(response: Response, maxBytes = MAX_BYTES): Promise<string> {
  const { body, status } = response;
  if (response instanceof WholeResponse) {
    if (response.size > maxBytes) throw tooLarge(status, maxBytes);
    return response.text();
  }
  if (body === null) return "";
  const bytes = new GrowingBuffer();
  for await (const piece of body) {
    if (bytes.size + piece.length > maxBytes) throw tooLarge(status, maxBytes);
    bytes.add(piece);
  }
  return new TextDecoder().decode(bytes.content());
}
