import { z } from "zod";
import { readSequence, type SequenceDetail } from "#domain/directory/sequences.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idField, idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import { sequenceFields, shownSequence } from "../sequence-fields.js";

const number = z.number().nullable();
const text = z.string().nullable();

const sequenceDetail = sequenceFields.extend({
  steps: z
    .array(
      z.object({
        stepOrder: number,
        delayMillis: number.describe("After the step before."),
        actionType: text.describe("EMAIL, TASK or FINISH_ENROLLMENT."),
        emailPattern: z.object({ templateId: idField.nullable() }).nullable(),
        taskPattern: z.object({ taskType: text, taskPriority: text, subject: text }).nullable(),
      }),
    )
    .nullable()
    .describe("Null if HubSpot shows the steps to none of the users we may ask as."),
  settings: z
    .object({
      eligibleFollowUpDays: text,
      sendWindowStartMinute: number.describe("Minutes after midnight."),
      sendWindowEndMinute: number,
      taskReminderMinute: number,
      individualTaskRemindersEnabled: z.boolean().nullable(),
    })
    .nullable(),
});

/** `GET /sequences/{id}`: asks HubSpot. */
export function createGetSequence({
  gatewayOf,
}: {
  gatewayOf: (portalId: PortalId) => PortalGateway;
}): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/sequences/{id}",
    operationId: "getSequence",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "Get a sequence with its steps and settings",
    description: "Steps and settings are HubSpot's current ones, under HubSpot's names.",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "The sequence.", schema: sequenceDetail } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor: { portalId }, database: { pool }, params }) => {
      const found = await readSequence({ pool, gateway: gatewayOf(portalId) }, portalId, params.id);
      return found === undefined ? refusal("NOT_FOUND") : { status: 200, body: shown(found) };
    },
  });
}

function shown({ steps, settings, ...sequence }: SequenceDetail) {
  return {
    ...shownSequence(sequence),
    steps:
      steps &&
      steps.map(({ emailPattern, taskPattern, stepOrder, delayMillis, actionType }) => ({
        stepOrder: stepOrder ?? null,
        delayMillis: delayMillis ?? null,
        actionType,
        emailPattern: emailPattern == null ? null : { templateId: emailPattern.templateId ?? null },
        taskPattern: taskPattern ?? null,
      })),
    settings:
      settings == null
        ? null
        : {
            eligibleFollowUpDays: settings.eligibleFollowUpDays,
            sendWindowStartMinute: settings.sendWindowStartMinute ?? null,
            sendWindowEndMinute: settings.sendWindowEndMinute ?? null,
            taskReminderMinute: settings.taskReminderMinute ?? null,
            individualTaskRemindersEnabled: settings.individualTaskRemindersEnabled ?? null,
          },
  };
}
