import type { IncomingMessage, ServerResponse } from "node:http";
import type { DrawnFault, Endpoint } from "../faults.js";
import type { World } from "../world.js";
import { refuse, throttled, type Answer } from "./answer.js";
import { parseJson, send } from "./body.js";
import { recordOf } from "./request-log.js";

/** One request on its way through the simulator. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly endpoint: Endpoint;
  /** Undefined for token requests, and where authentication failed. */
  readonly portalId: number | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Does the work of a request and answers it, under the fault drawn for it. Whatever is lost on the way back, the work
 * of an "after" fault is done; see the table at {@link FAULTS}.
 */
export async function carryOut(
  world: World,
  exchange: Exchange,
  { fault, work }: { fault: DrawnFault | undefined; work: () => Answer },
): Promise<void> {
  if (fault !== undefined) {
    const { endpoint, portalId } = exchange;
    world.signals.announce("fault", { portalId, endpoint, fault: fault.name });
  }
  if (fault?.name === "slowWork") await world.delays.wait(fault.ms);
  const answer = (fault && faultyAnswerBefore(fault)) ?? work();
  if (fault?.name === "resetAfter" || fault?.name === "resetBefore") {
    cut(world, exchange);
    return;
  }
  const pauseMs = latencyOf(world) + (fault?.name === "slowAnswer" ? fault.ms : 0);
  if (pauseMs > 0) await world.delays.wait(pauseMs);
  finish(world, exchange, (fault && faultyAnswerAfter(fault, exchange)) ?? answer);
}

/** Sends an answer and notes it. */
export function finish(world: World, exchange: Exchange, answer: Answer): void {
  note(world, exchange, answer);
  send(exchange.response, answer, exchange.headers);
}

/** Ends the connection without an answer, as a crashed proxy would. */
function cut(world: World, exchange: Exchange): void {
  note(world, exchange, { status: 0 });
  exchange.request.socket.resetAndDestroy();
}

function note(world: World, exchange: Exchange, { status, body: responseBody }: Answer): void {
  const { endpoint, portalId, request, path, query, text } = exchange;
  if (portalId !== undefined) world.portals.get(portalId)?.traffic.answered(endpoint, status);
  if (world.requestLog.enabled) {
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
    world.requestLog.add({
      method: request.method ?? "GET",
      path,
      query: recordOf(query),
      headers: request.headers as Record<string, string>,
      body:
        text === "" ? undefined : isForm ? recordOf(new URLSearchParams(text)) : (parseJson(text) ?? text),
      endpoint,
      portalId,
      status,
      responseBody,
    });
  }
  world.signals.announce("request", { portalId, endpoint, status });
}

/** The answer of a fault that keeps the work from being done; undefined for those that do not. */
function faultyAnswerBefore({ name, status, ms }: DrawnFault): Answer | undefined {
  switch (name) {
    case "errorBefore":
      return serverError(status);
    case "edgePage":
      return errorPage(status);
    case "resetBefore":
      return { status: 0 };
    case "throttled":
      return throttled();
    case "throttledRetryAfter":
      return throttled("1");
    case "locked":
      return refuse(423, { category: "LOCKED", message: "The resource is locked" });
    case "migrating":
      return {
        ...refuse(477, {
          category: "MIGRATION_IN_PROGRESS",
          message: "The account is being moved to another region",
        }),
        headers: { "retry-after": String(Math.ceil(ms / 1000)) },
      };
    case "errorAfter":
    case "resetAfter":
    case "redirectAfter":
    case "slowAnswer":
    case "slowWork":
      return undefined;
  }
}

/** What the caller sees in place of the answer to work that was done; undefined where it sees that, if late. */
function faultyAnswerAfter({ name, status }: DrawnFault, { request }: Exchange): Answer | undefined {
  if (name === "errorAfter") return serverError(status);
  return name === "redirectAfter" ? { status: 307, headers: { location: request.url ?? "/" } } : undefined;
}

/** 500 comes from HubSpot itself and is JSON; the others come from what stands in front and are pages. */
function serverError(status: number): Answer {
  if (status === 500) return refuse(500, { category: "INTERNAL_ERROR", message: "internal error" });
  return errorPage(status);
}

function errorPage(status: number): Answer {
  return {
    status,
    html: `<html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`,
  };
}

function latencyOf({ settings, random }: World): number {
  const { latencyMs } = settings;
  return typeof latencyMs === "number" ? latencyMs : random.between(latencyMs[0], latencyMs[1]);
}
