import type { AnyEndpoint } from "./kit/endpoint.js";
import { createListPresets } from "./v1/presets/get.js";

/** The table of the API's endpoints: one file for each, named by its address and method. */
export function createEndpoints(): readonly AnyEndpoint[] {
  return [createListPresets()];
}
