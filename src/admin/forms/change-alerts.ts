import type { Request, Response } from "express";
import { z } from "zod";
import { raiseTestAlert } from "../../alerts/test-alert.js";
import { webhookUrlProblem } from "../../alerts/webhook-post.js";
import { findChoices, saveChoice } from "../settings-row.js";
import { sendSettings } from "../settings-view.js";
import type { SettingsOptions } from "../site-options.js";
import { admitForm, finishForm } from "./admission.js";

const fieldsOfForm = z.object({
  webhook_url: z.string().trim(),
  version: z.string().regex(/^\d{1,9}$/),
});

/** An address that cannot be used gets the page back (422) with what was typed and the reason at the field. */
export async function changeAlerts(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const fields = fieldsOfForm.safeParse(request.body);
  if (!fields.success) return finishForm(options, response, "alerts-changed");
  const { webhook_url: typed, version } = fields.data;
  const problem =
    typed === "" ? undefined : webhookUrlProblem(typed, { allowInternal: options.allowInternalWebhooks });
  if (problem !== undefined) {
    const alertEntry = { typed, problem, version: Number(version) };
    return sendSettings(options, visit, { request, response, alertEntry });
  }
  const isSaved = await saveChoice(options.database, visit.session.portalId, {
    name: "alertWebhookUrl",
    value: typed === "" ? null : typed,
    version: Number(version),
  });
  if (!isSaved) return finishForm(options, response, "alerts-changed");
  finishForm(options, response, "alerts-saved");
}

/** Posted by the worker within seconds, the same way as any alert: a test that arrives shows that the others would. */
export async function sendTestAlert(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.session;
  const { alertWebhookUrl } = await findChoices(options.database, portalId);
  if (alertWebhookUrl === null) return finishForm(options, response, "test-without-address");
  await raiseTestAlert(options.database.pool, portalId, TEST_MESSAGE);
  finishForm(options, response, "test-raised");
}

const TEST_MESSAGE =
  "This is a test from the settings page of Sequence Enroller. Real alerts arrive the same way; there is nothing to do.";
