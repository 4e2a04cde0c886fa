import type { Request, Response } from "express";
import { sendPage } from "../../http/page.js";
import { listAuditEntries } from "../../policy/audit.js";
import { admitPage } from "../session/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { readNameable } from "../frame/names.js";
import { AuditPage } from "./audit-page.js";
import type { SettingsOptions } from "../site-options.js";
import { readId } from "../frame/form-body.js";

/** `GET /settings/audit?before=…` */
export async function showAudit(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.session;
  const before = readId(request.query["before"]);
  const [entries, { names }] = await Promise.all([
    listAuditEntries(options.database, portalId, { before }),
    readNameable(options.database, portalId),
  ]);
  const frame = frameOf(options, visit, { request, response });
  const isFirst = before === undefined;
  sendPage(response, 200, <AuditPage {...{ frame, entries, names, isFirst }} />);
}
