import type { Request } from "express";
import { listSequences } from "#domain/directory/people.js";
import { listPresetNames } from "#domain/policy/preset-store.js";
import { sendPage } from "#web/kit/page.js";
import { listAuditActors, listAuditEntries } from "#domain/audit/list-entries.js";
import { frameOf } from "../frame/shell.js";
import { readNameable } from "../words/names.js";
import { AuditPage, type AuditNarrowing } from "./audit-page.js";
import type { Names } from "../words/changes.js";
import { SUBJECTS } from "../words/audit-words.js";
import type { SettingsOptions } from "../session/site-options.js";
import { readFields, readId } from "#web/kit/form-fields.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Exchange } from "../frame/exchange.js";

/** `GET /settings/audit?who=7&what=sender&before=…`; what an address says otherwise does not narrow. */
export async function showAudit(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { portalId } = visit.session;
  const before = readId(request.query["before"]);
  const narrowing = readNarrowing(request);
  const { who, what } = narrowing;
  const [entries, actors, names] = await Promise.all([
    listAuditEntries(options.database, portalId, { before, userId: readId(who), subject: what || undefined }),
    listAuditActors(options.database, portalId),
    readNames(options, portalId),
  ]);
  const frame = frameOf(exchange);
  const model = { entries, actors, narrowing, isFirst: before === undefined };
  sendPage(response, 200, <AuditPage frame={frame} names={{ ...names, format: frame.format }} {...model} />);
}

function readNarrowing({ query }: Request): AuditNarrowing {
  const fields = readFields(query);
  const what = fields.text("what");
  return {
    who: readId(fields.text("who"))?.toString() ?? "",
    what: Object.hasOwn(SUBJECTS, what) ? what : "",
  };
}

async function readNames({ database }: SettingsOptions, portalId: PortalId): Promise<Names> {
  const [{ names }, presets, sequences] = await Promise.all([
    readNameable(database, portalId),
    listPresetNames(database, portalId),
    listSequences(database.pool, portalId),
  ]);
  return {
    ...names,
    presets: new Map(presets.map(({ presetId, name }) => [presetId.toString(), name])),
    sequences: new Map(sequences.map(({ sequenceId, name }) => [sequenceId, name])),
  };
}
