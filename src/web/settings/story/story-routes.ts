import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { ACTIVITY_PATH } from "../words/paths.js";
import { act, showStory, showStoryPart } from "./story-handlers.js";

/**
 * What happened to one execution, and what an admin can do about it. Added after the list's own addresses, which would
 * otherwise be taken for an id.
 *
 * | route under /settings/activity | |
 * | --- | --- |
 * | GET /:id, /:id/story | its story, the part of it that renews itself |
 * | POST /:id/{cancel,retry,try_now} | what can be done to it |
 */
export function addStoryRoutes(router: Router, { page, part, form }: Handlers): void {
  router.get(`${ACTIVITY_PATH}/:id`, page(showStory));
  router.get(`${ACTIVITY_PATH}/:id/story`, part(showStoryPart));
  router.post(`${ACTIVITY_PATH}/:id/:action`, form(act));
}
