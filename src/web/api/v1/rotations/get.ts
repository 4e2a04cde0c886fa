import { z } from "zod";
import { listRotationNames } from "#domain/policy/list-rotations.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { pageSchema } from "#web/api/kit/fields.js";

const rotationAnswer = z.object({ id: z.string(), name: z.string() });

/** `GET /rotations`: the rotations an enrollment can name. */
export function createListRotations(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/rotations",
    operationId: "listRotations",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "List the account's rotations",
    description: "By name. An account has 500 at most.",
    answers: { 200: { description: "All rotations.", schema: pageSchema(rotationAnswer) } },
    handle: async ({ actor, database }) => {
      const rotations = await listRotationNames(database, actor.portalId);
      const results = rotations.map(({ rotationId, name }) => ({ id: rotationId.toString(), name }));
      return { status: 200, body: { results } };
    },
  });
}
