import { z } from "zod";
import { findRunningEnrollment, type EnrollmentSources } from "#domain/enrollments/current-enrollment.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter, timeField } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";

export interface GetContactEnrollmentOptions extends Omit<EnrollmentSources, "gateway"> {
  readonly gatewayOf: (portalId: PortalId) => PortalGateway;
}

const text = z.string().nullable();

const contactEnrollment = z.object({
  isEnrolled: z.boolean(),
  sequence: z.object({ id: z.string(), name: text }).nullable(),
  enrolledAt: timeField.nullable(),
  enrolledBy: text.describe("The sender's address; if it is not known, the id of the user."),
  email: text.describe("The contact's address that the sequence writes to."),
});

const NOWHERE = { isEnrolled: false, sequence: null, enrolledAt: null, enrolledBy: null, email: null };

/** `GET /contacts/{id}/enrollment`: asks HubSpot. */
export function createGetContactEnrollment({
  gatewayOf,
  ...sources
}: GetContactEnrollmentOptions): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/contacts/{id}/enrollment",
    operationId: "getContactEnrollment",
    tag: "Contacts",
    scope: "enrollments:read",
    summary: "Find out where a contact is enrolled now",
    description: "Asks HubSpot, whoever has enrolled the contact.",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "Where the contact is enrolled.", schema: contactEnrollment } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor: { portalId }, params }) => {
      const gateway = gatewayOf(portalId);
      const found = await findRunningEnrollment({ ...sources, gateway }, portalId, params.id);
      if (found === "unknown-contact") return refusal("NOT_FOUND");
      if (found === undefined) return { status: 200, body: NOWHERE };
      const enrolledAt = found.enrolledAt?.toISOString() ?? null;
      return { status: 200, body: { isEnrolled: true, ...found, enrolledAt } };
    },
  });
}
