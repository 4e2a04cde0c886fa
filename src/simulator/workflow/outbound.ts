import type { SigningPlan } from "../world/signing.js";
import { signedHeaders } from "../world/signing.js";
import type { World } from "../world/world.js";

/** A request from "HubSpot" to the app. */
interface OutboundRequest {
  readonly method: string;
  /** Where it is sent. */
  readonly url: string;
  /** Origin HubSpot believes it calls, where a proxy stands between; the signature covers this one. */
  readonly publicUrl?: string | undefined;
  readonly body: string;
  readonly signing?: SigningPlan | undefined;
  readonly timeoutMs: number;
}

export type OutboundAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly body: string;
    }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Signs, sends, and reads the whole answer. A refused connection, a reset and a timeout are answers of their own kind. */
export async function deliver(world: World, request: OutboundRequest): Promise<OutboundAnswer> {
  const { method, url, body } = request;
  const signable = { method, url: publicUrlOf(request), body };
  const plan = request.signing;
  const signature = signedHeaders(signable, {
    secret: world.settings.clientSecrets[0] ?? "",
    // HubSpot signs by its own clock; the app checks the age of signatures by ours.
    nowMs: world.now(),
    ...(plan === undefined ? {} : { plan }),
  });
  try {
    const { origin, pathname, search } = new URL(url);
    const answer = await world.outbound.request({
      origin,
      path: pathname + search,
      method,
      headers: { "content-type": "application/json", "user-agent": "HubSpot-Simulator", ...signature },
      body: method === "GET" ? null : body,
      headersTimeout: request.timeoutMs,
      bodyTimeout: request.timeoutMs,
    });
    return {
      kind: "answered",
      status: answer.statusCode,
      headers: answer.headers,
      body: await answer.body.text(),
    };
  } catch (error) {
    return { kind: "unreachable", reason: error instanceof Error ? error.message : String(error) };
  }
}

function publicUrlOf({ url, publicUrl }: OutboundRequest): string {
  if (publicUrl === undefined) return url;
  const { origin } = new URL(url);
  return publicUrl.replace(/\/$/, "") + url.slice(origin.length);
}
