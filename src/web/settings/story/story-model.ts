import type { ExecutionStory } from "#domain/history/execution-story.js";
import type { Present } from "#domain/history/shown-outcome.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Format } from "../words/format.js";

/** One execution, and what its story is told with. */
export interface StoryModel {
  readonly story: ExecutionStory;
  readonly portalId: PortalId;
  readonly hubspotUrl: string;
  readonly format: Format;
  readonly present: Present;
}

/** The part that renews itself, with the forms of what can be done. */
export interface StoryPartModel extends StoryModel {
  readonly formToken: string;
}
