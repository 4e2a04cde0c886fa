import { z } from "zod";
import { listPresetNames } from "#domain/policy/preset-store.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { pageSchema } from "#web/api/kit/fields.js";

const preset = z.object({ id: z.string(), name: z.string() });

/** `GET /presets`: the presets an enrollment can name. */
export function createListPresets(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/presets",
    operationId: "listPresets",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "List the account's presets",
    description: "The default preset first, then by name. An account has 500 at most.",
    answers: { 200: { description: "All presets.", schema: pageSchema(preset) } },
    handle: async ({ actor, database }) => {
      const presets = await listPresetNames(database, actor.portalId);
      const results = presets.map(({ presetId, name }) => ({ id: presetId.toString(), name }));
      return { status: 200, body: { results } };
    },
  });
}
