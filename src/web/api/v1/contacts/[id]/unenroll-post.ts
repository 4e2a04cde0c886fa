import { z } from "zod";
import { readUnenrollment } from "#domain/unenroll/read-unenrollment.js";
import { requestUnenrollment } from "#domain/unenroll/request-unenrollment.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { unenrollmentAnswer } from "../../unenrollments/unenrollment-answer.js";

/** `POST /contacts/{id}/unenroll`. @param wake called once a portal has new work. */
export function createUnenrollContact({ wake }: { wake: (portalId: PortalId) => void }): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/contacts/{id}/unenroll",
    operationId: "unenrollContact",
    tag: "Unenrollments",
    scope: "enrollments:write",
    summary: "Take a contact out of its sequence",
    description:
      "Stores the request and answers at once; HubSpot needs a minute or two, and `GET /unenrollments/{id}` tells what came of it. A contact has one open request: asking again answers with that one. An id that HubSpot does not know ends as NOT_ENROLLED, with the reason CONTACT_NOT_FOUND.",
    params: z.strictObject({ id: idParameter.describe("HubSpot's id of the contact.") }),
    answers: { 202: { description: "It is stored, and will be worked on.", schema: unenrollmentAnswer } },
    problems: ["NOT_SUPPORTED"],
    handle: async ({ actor, database: { pool }, params, afterCommit }) => {
      const { portalId } = actor;
      const asked = await requestUnenrollment(pool, actor, params.id);
      if (asked.kind === "not-supported") return refusal("NOT_SUPPORTED", { detail: asked.reason });
      if (asked.kind === "not-connected") return refusal("NOT_CONNECTED");
      afterCommit(() => {
        wake(portalId);
      });
      const headers = { Location: `/api/v1/unenrollments/${asked.id}` };
      return { status: 202, headers, body: await readUnenrollment(pool, portalId, asked.id) };
    },
  });
}
