import { randomUUID } from "node:crypto";

/** A handler's answer. `body` is sent as JSON, `html` as a page. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The optional parts of HubSpot's error envelope (docs/hubspot.md §5.6). */
interface RefusalDetail {
  readonly category: string;
  readonly message: string;
  readonly subCategory?: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
  readonly errors?: readonly unknown[];
}

export const NO_CONTENT: Answer = { status: 204 };

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** HubSpot's error envelope, complete as the OpenAPI `Error` schema wants it. */
export function refuse(status: number, detail: RefusalDetail): Answer {
  return { status, body: { status: "error", correlationId: randomUUID(), ...detail } };
}

export function invalid(message: string, subCategory?: string): Answer {
  return refuse(400, {
    category: "VALIDATION_ERROR",
    message,
    ...(subCategory === undefined ? {} : { subCategory }),
  });
}

export function notFound(message: string): Answer {
  return refuse(404, { category: "OBJECT_NOT_FOUND", message });
}

export function missingScopes(requiredScopes: readonly string[]): Answer {
  return refuse(403, {
    category: "MISSING_SCOPES",
    message: "This app hasn't been granted all required scopes to make this call.",
    errors: [{ message: "One or more of the following scopes are required.", context: { requiredScopes } }],
  });
}

/** Exactly the body of docs/hubspot.md §6; unlike the other errors it has no `category`. */
export function throttled(retryAfter?: string): Answer {
  return {
    status: 429,
    body: {
      status: "error",
      errorType: "RATE_LIMIT",
      policyName: "TEN_SECONDLY_ROLLING",
      message: "You have reached your ten_secondly_rolling limit.",
      correlationId: randomUUID(),
      requestId: randomUUID(),
    },
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
  };
}

export function page(status: number, html: string): Answer {
  return { status, html };
}

export function redirect(location: string): Answer {
  return { status: 302, headers: { location } };
}
