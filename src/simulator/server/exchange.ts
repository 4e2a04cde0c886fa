import type { IncomingMessage, ServerResponse } from "node:http";
import type { DrawnFault, Endpoint, FaultName } from "../world/faults.js";
import { garbledRetryAfters, oddRetryAfters } from "../world/open-questions.js";
import { drawMs } from "../world/random.js";
import type { World } from "../world/world.js";
import { ok, refuse, throttled, type Answer } from "../wire/answer.js";
import { parseJson, send } from "../wire/body.js";
import { sendHalf, trickle } from "../wire/broken-answers.js";
import { recordOf } from "../world/request-log.js";

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

const UNANSWERED: ReadonlySet<FaultName> = new Set([
  ...(["resetBefore", "resetAfter", "hangBefore", "hangAfter"] as const),
  ...(["halfOpenBefore", "halfOpenAfter", "trickle"] as const),
]);

/**
 * Does the work of a request and answers it, under the fault drawn for it. Even if the answer is lost, the work of an
 * "after" fault is done; see the table at {@link FAULTS}.
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
  if (fault !== undefined && UNANSWERED.has(fault.name)) {
    note(world, exchange, { status: 0 });
    breakOff(world, exchange, { fault, answer });
    return;
  }
  const pauseMs = latencyOf(world) + (fault?.name === "slowAnswer" ? fault.ms : 0);
  if (pauseMs > 0) await world.delays.wait(pauseMs);
  const told = (fault && faultyAnswerAfter(fault, exchange)) ?? answer;
  finish(world, exchange, fault === undefined ? told : withOddRetryAfter(world, told));
}

/** Sends an answer and records it. */
export function finish(world: World, exchange: Exchange, answer: Answer): void {
  note(world, exchange, answer);
  send(exchange.response, answer, headersOf(world, exchange));
}

/** Node would date the answer by the machine's clock. */
function headersOf(world: World, { headers }: Exchange): Record<string, string> {
  return { date: new Date(world.now()).toUTCString(), ...headers };
}

/** Carries out a fault under which the caller gets no whole answer, or so late that it counts as none. */
function breakOff(
  world: World,
  exchange: Exchange,
  { fault, answer }: { fault: DrawnFault; answer: Answer },
): void {
  const { request, response } = exchange;
  const headers = headersOf(world, exchange);
  switch (fault.name) {
    case "resetBefore":
    case "resetAfter":
      request.socket.resetAndDestroy();
      return;
    case "halfOpenBefore":
    case "halfOpenAfter":
      sendHalf(response, answer, headers);
      return;
    case "trickle":
      trickle(response, answer, { headers, delays: world.delays, byteMs: fault.byteMs });
      return;
    default:
    // Hangs: the connection stays open, and nothing is ever written to it.
  }
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
    case "hangBefore":
      return { status: 0 };
    case "halfOpenBefore":
      return ok({ status: "PENDING" });
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
    case "hangAfter":
    case "halfOpenAfter":
    case "trickle":
    case "redirectAfter":
    case "slowAnswer":
    case "slowWork":
      return undefined;
  }
}

/** What the caller sees in place of the answer to work that was done; undefined if it sees that answer, even late. */
function faultyAnswerAfter({ name, status }: DrawnFault, { request }: Exchange): Answer | undefined {
  if (name === "errorAfter") return serverError(status);
  return name === "redirectAfter" ? { status: 307, headers: { location: request.url ?? "/" } } : undefined;
}

/** 500 comes from HubSpot itself and is JSON; the others come from a proxy in front and are HTML pages. */
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

const TELLS_WHEN_TO_COME_BACK = new Set([423, 429, 477, 500, 502, 503, 504, 521, 523, 524]);

/** What a fault answers, with a `Retry-After` that makes no sense, if that open question is answered so. */
function withOddRetryAfter({ settings, random, now }: World, answer: Answer): Answer {
  const { retryAfter } = settings.openQuestions;
  if (retryAfter === "sane" || !TELLS_WHEN_TO_COME_BACK.has(answer.status)) return answer;
  const values = (retryAfter === "odd" ? oddRetryAfters : garbledRetryAfters)(now());
  return { ...answer, headers: { ...answer.headers, "retry-after": random.pick(values) } };
}

function latencyOf({ settings, random }: World): number {
  return drawMs(random, settings.latencyMs);
}
