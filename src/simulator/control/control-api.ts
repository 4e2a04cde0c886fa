import type { IncomingMessage } from "node:http";
import { notFound, type Answer } from "../server/answer.js";
import type { World } from "../world.js";

export const CONTROL_PREFIX = "/_simulator/";

export interface ControlRequest {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

export function answerControl(_world: World, { path }: ControlRequest): Promise<Answer> {
  return Promise.resolve(notFound(`No control ${path}`));
}
