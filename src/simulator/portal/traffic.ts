import type { Endpoint } from "../world/faults.js";

/** Calls of one endpoint family, by HTTP status; 0 means a connection that was cut. */
interface EndpointTraffic {
  requests: number;
  readonly byStatus: Record<string, number>;
}

/** An app's requests to one portal. */
export class Traffic {
  readonly byEndpoint = new Map<Endpoint, EndpointTraffic>();
  /** 429s caused by the app exceeding its budget; those of the fault plan do not count. */
  throttled = 0;
  /** Requests that counted against the rate limit. */
  counted = 0;
  /** Token requests, by grant type. */
  readonly tokenRequests: Record<string, number> = {};
  firstAtMs: number | undefined;
  lastAtMs: number | undefined;

  arrived(atMs: number): void {
    this.firstAtMs ??= atMs;
    this.lastAtMs = atMs;
    this.counted += 1;
  }

  answered(endpoint: Endpoint, status: number): void {
    let entry = this.byEndpoint.get(endpoint);
    if (entry === undefined) {
      entry = { requests: 0, byStatus: {} };
      this.byEndpoint.set(endpoint, entry);
    }
    entry.requests += 1;
    entry.byStatus[status] = (entry.byStatus[status] ?? 0) + 1;
  }

  requestsOf(endpoint: Endpoint): number {
    return this.byEndpoint.get(endpoint)?.requests ?? 0;
  }

  summary(): Record<string, unknown> {
    return {
      counted: this.counted,
      throttled: this.throttled,
      byEndpoint: Object.fromEntries(this.byEndpoint),
      tokenRequests: this.tokenRequests,
      firstAtMs: this.firstAtMs,
      lastAtMs: this.lastAtMs,
    };
  }
}
