import type { PortalId } from "#platform/ids/branded-ids.js";

/** What is known of a piece of work. Never a contact's data, a token or a path with ids in it: spans leave the house. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  readonly kind?: "server" | "client" | "internal";
  /** The span it belongs to, of another process or another time ({@link Span.traceparent}); by default the one that runs now. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
}

/** A piece of work that is under way. */
export interface Span {
  /** W3C's name of it, by which others can belong to it. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
}

/** Traces, by OpenTelemetry's SDK. There is one only if the operator has a place for them (open-tracing.ts). */
export interface Tracing {
  /** Does the work in a span; what it throws is noted by its name, and thrown. */
  during<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** Notes work that is over. */
  note(name: string, options: SpanOptions & { readonly startedAt: Date; readonly endedAt: Date }): void;
  /** The span that runs now, if any. */
  current(): Span | undefined;
  /** Sends what is not sent yet, for some seconds at most. */
  close(): Promise<void>;
}

/**
 * Does what stores enrollments that no call from HubSpot asked for, in a span if traces are kept. What is stored names that
 * span, and what is done for it later belongs to it.
 */
export type TraceAccepting = <Result>(
  what: "api" | "batch" | "import",
  portalId: PortalId,
  accept: (traceparent: string | undefined) => Promise<Result>,
) => Promise<Result>;

/** 00-<trace>-<span>-<flags>: https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface ParsedTraceparent {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

export function parseTraceparent(text: string | undefined): ParsedTraceparent | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** The field of a log line that leads to the trace; none if there is none. */
export function traceIdOf(traceparent: string | undefined): { traceId?: string } {
  const parsed = parseTraceparent(traceparent);
  return parsed === undefined ? {} : { traceId: parsed.traceId };
}
