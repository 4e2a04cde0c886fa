import { AsyncLocalStorage } from "node:async_hooks";
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span as OtelSpan,
  type SpanOptions as OtelSpanOptions,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { within } from "#platform/time/within.js";
import { parseTraceparent, type Attributes, type Span, type SpanOptions, type Tracing } from "./tracing.js";

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;
const SEND_EVERY_MS = 2_000;
/** A collector that hangs does not keep the process from ending. */
const CLOSE_PATIENCE_MS = 3_000;

function presentOf(attributes: Attributes = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
    ),
  );
}

function toSpan(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
    set: (attributes) => {
      span.setAttributes(presentOf(attributes));
    },
  };
}

/** By name and code alone: the message may repeat what a contact or HubSpot wrote. */
function noteFault(span: OtelSpan, fault: unknown): void {
  const name = fault instanceof Error ? fault.name : "Error";
  const { code } = fault as { code?: unknown };
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttributes({ "error.type": typeof code === "string" ? code : name });
}

/** Nothing here is global: two apps in one process have their own. Sampling and the collector's headers are read by the SDK from its own variables. */
export function createOtelTracing(options: { endpoint: string; version: string; role: string }): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint.replace(/\/$/, "")}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "sequence-enroller",
      "service.version": options.version,
      "sequence_enroller.role": options.role,
    }),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: SEND_EVERY_MS })],
  });
  const tracer = provider.getTracer("sequence-enroller", options.version);
  const running = new AsyncLocalStorage<OtelSpan>();

  function parentOf({ parent }: SpanOptions): Context {
    const remote = parseTraceparent(parent);
    if (remote !== undefined) {
      const { traceId, spanId, flags: traceFlags } = remote;
      return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
    }
    const around = running.getStore();
    return around === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, around);
  }

  function start(name: string, given: SpanOptions, more: OtelSpanOptions = {}): OtelSpan {
    const kind = KINDS[given.kind ?? "internal"];
    const attributes = presentOf(given.attributes);
    return tracer.startSpan(name, { kind, attributes, ...more }, parentOf(given));
  }

  return {
    during: (name, given, work) => {
      const span = start(name, given);
      return running.run(span, async () => {
        try {
          return await work(toSpan(span));
        } catch (error) {
          noteFault(span, error);
          throw error;
        } finally {
          span.end();
        }
      });
    },
    note: (name, { startedAt, endedAt, ...given }) => {
      start(name, given, { startTime: startedAt }).end(endedAt);
    },
    current: () => {
      const span = running.getStore();
      return span === undefined ? undefined : toSpan(span);
    },
    close: () =>
      within(CLOSE_PATIENCE_MS, provider.shutdown(), () => new Error("the collector does not answer")).catch(
        () => undefined,
      ),
  };
}
