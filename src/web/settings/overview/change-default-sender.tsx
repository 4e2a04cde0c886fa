import type { Request, Response } from "express";
import { z } from "zod";
import { sendPage } from "#web/kit/page.js";
import { Conflict } from "../words/change-table.js";
import { describeChanges } from "../words/changes.js";
import type { Exchange } from "../frame/form-answers.js";
import { actorOf } from "../frame/form-body.js";
import { readNameable } from "../words/names.js";
import { frameOf, SitePage } from "../frame/shell.js";
import { lookAgain } from "../frame/look-again.js";
import { admitForm, finishForm } from "../gate/admit-form.js";
import type { AdminVisit } from "../session/visit.js";
import type { SettingsOptions } from "../session/site-options.js";
import { listActivePeople } from "#domain/directory/people.js";
import { saveDefaultSender } from "#domain/policy/default-sender.js";
import { SenderForm } from "./default-sender-form.js";
import { findChoices } from "#domain/accounts/settings-row.js";

const fieldsOfForm = z.object({
  sender_user_id: z.string().regex(/^\d{0,18}$/),
  version: z.string().regex(/^\d{1,9}$/),
});

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
  if (outcome === "unknown-sender") return finishForm(options, response, "sender-unknown");
  if (outcome === "changed-meanwhile")
    return sendConflict(options, visit, { exchange: { request, response }, userId });
  await lookAgain(options, visit.session.portalId);
  finishForm(options, response, userId === null ? "sender-cleared" : "sender-saved");
}

/** The form once more with what was chosen, and what another admin saved in the meantime (409). */
async function sendConflict(
  options: SettingsOptions,
  visit: AdminVisit,
  { exchange, userId }: { exchange: Exchange; userId: bigint | null },
): Promise<void> {
  const { database } = options;
  const { portalId } = visit.session;
  const saved = await findChoices(database, portalId);
  const named = [saved.defaultSenderUserId, userId].filter((id) => id !== null);
  const [senders, { names }] = await Promise.all([
    listActivePeople(database.pool, portalId, named),
    readNameable(database, portalId, named),
  ]);
  const told = (chosen: bigint | null) => ({ defaultSenderUserId: chosen?.toString() ?? null });
  const frame = frameOf(options, visit, exchange);
  sendPage(
    exchange.response,
    409,
    <SitePage title="Default sender" current="/settings" frame={frame}>
      <Conflict changes={describeChanges(told(saved.defaultSenderUserId), told(userId), names)} />
      <SenderForm
        current={{ userId, version: saved.version }}
        senders={senders}
        formToken={frame.formToken}
      />
    </SitePage>,
  );
}
