import type { Request, Response } from "express";
import { z } from "zod";
import { saveDefaultSender } from "./default-sender.js";
import { lookAgain } from "../policy/look-again.js";
import type { SettingsOptions } from "../site-options.js";
import { admitForm, finishForm } from "../session/admit-form.js";
import { actorOf } from "../frame/form-body.js";

const fieldsOfForm = z.object({
  sender_user_id: z.string().regex(/^\d{0,18}$/),
  version: z.string().regex(/^\d{1,9}$/),
});

const NOTICE_BY_OUTCOME = {
  "unknown-sender": "sender-unknown",
  "changed-meanwhile": "settings-changed",
} as const;

export async function changeSender(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const fields = fieldsOfForm.safeParse(request.body);
  if (!fields.success) return finishForm(options, response, "sender-unknown");
  const { sender_user_id: chosen, version } = fields.data;
  const userId = chosen === "" ? null : BigInt(chosen);
  const outcome = await saveDefaultSender(options.database, visit.session.portalId, {
    userId,
    version: Number(version),
    by: actorOf(visit),
  });
  if (outcome !== "saved") return finishForm(options, response, NOTICE_BY_OUTCOME[outcome]);
  await lookAgain(options, visit.session.portalId);
  finishForm(options, response, userId === null ? "sender-cleared" : "sender-saved");
}
