import type { IncomingMessage } from "node:http";
import { ZodError } from "zod";
import { AuthorizeRefused } from "../authorization/play-consent.js";
import { invalid, notFound, ok, refuse, type Answer } from "../wire/answer.js";
import { parseJson } from "../wire/body.js";
import { Router } from "../wire/router.js";
import type { World } from "../world/world.js";
import type { ControlRoute } from "./control-route.js";
import { PORTAL_CONTROLS } from "./portal-controls.js";
import { WORLD_CONTROLS } from "./world-controls.js";

export const CONTROL_PREFIX = "/_simulator/";

interface ControlRequest {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

const ROUTER = new Router<ControlRoute>([...WORLD_CONTROLS, ...PORTAL_CONTROLS]);

/**
 * Steers the simulator from another process: JSON in, JSON out, under `/_simulator/`. Not part of HubSpot. Answers only
 * requests to a loopback name, so that no web page can reach it through its own domain.
 */
export async function answerControl(
  world: World,
  { request, path, query, text }: ControlRequest,
): Promise<Answer> {
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) {
    return refuse(403, {
      category: "BANNED",
      message: "The controls answer on 127.0.0.1 and localhost only",
    });
  }
  const match = ROUTER.find(request.method ?? "GET", path.slice(CONTROL_PREFIX.length - 1));
  if (match === undefined) return notFound(`The simulator has no control ${request.method} ${path}`);
  try {
    const body = text === "" ? {} : parseJson(text);
    return ok((await match.route.answer({ world, params: match.params, query, body })) ?? {});
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): Answer {
  if (error instanceof ZodError)
    return invalid(error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  if (error instanceof RangeError) return notFound(error.message);
  if (error instanceof AuthorizeRefused) return refuse(409, { category: "CONFLICT", message: error.message });
  throw error;
}
