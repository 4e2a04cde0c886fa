import type { Tracing } from "./tracing.js";

export interface TracingOptions {
  /** Address of an OTLP collector, without `/v1/traces`; undefined: no traces. */
  readonly endpoint: string | undefined;
  readonly version: string;
  readonly role: string;
}

/** Loads OpenTelemetry and begins to send traces; without an endpoint it loads nothing. */
export async function openTracing({ endpoint, ...about }: TracingOptions): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { createOtelTracing } = await import("./otel-tracing.js");
  return createOtelTracing({ endpoint, ...about });
}
