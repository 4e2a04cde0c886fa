import path from "node:path";
import { createCloseImport } from "#domain/imports/create-close-import.js";
import { createImport } from "#domain/imports/create-import.js";
import { ImportFileError } from "#domain/imports/file/file-error.js";
import { openFile } from "#domain/imports/file/read-rows.js";
import { listImports } from "#domain/imports/import.js";
import { createSegmentImport } from "#domain/imports/read-source.js";
import { HubSpotError, HubSpotRejected } from "#platform/hubspot/errors.js";
import { SEGMENT_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { readFields } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange, UploadExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { importPath, IMPORTS_PATH } from "../words/paths.js";
import type { FoundSegments } from "./segment-card.js";
import { IMPORTS_SHOWN, ImportsPage } from "./imports-page.js";

/** GET /settings/imports, `?segment=` with the segments that have this in their name */
export async function showImports(exchange: Exchange): Promise<void> {
  const fields = readFields(exchange.request.query);
  const search = fields.has("segment") ? fields.text("segment") : undefined;
  await sendList(exchange, { status: 200, search });
}

/** POST /settings/imports/segments */
export async function importSegment(exchange: FormExchange): Promise<void> {
  const { options, visit, form, response } = exchange;
  const segmentId = form.text("segment_id");
  if (!/^\d{1,20}$/.test(segmentId)) return response.redirect(303, IMPORTS_PATH);
  const asked = { segmentId, name: form.text("name") };
  const made = await createSegmentImport(options.database.pool, actorOf(visit), asked);
  if (made.kind === "created") return response.redirect(303, importPath(made.id));
  finishForm(exchange, "segments-not-permitted");
}

/** What can stand in the header that carries it. */
const CLOSE_KEY = /^[\x21-\x7e]{8,200}$/;

/** POST /settings/imports/close */
export async function readClose(exchange: FormExchange): Promise<void> {
  const { options, visit, form, response } = exchange;
  const apiKey = form.text("close_key");
  if (!CLOSE_KEY.test(apiKey)) {
    const problems = { close_key: "Copy the whole key from Close; it begins with api_." };
    return sendList(exchange, { status: 422, closeName: form.text("close_name"), problems });
  }
  const to = { pool: options.database.pool, cipher: options.cipher };
  const id = await createCloseImport(to, actorOf(visit), { apiKey, name: form.text("close_name") });
  response.redirect(303, importPath(id));
}

/** POST /settings/imports: the file is read as it comes, and stored. Nothing is enrolled yet. */
export async function takeFile(exchange: UploadExchange): Promise<void> {
  const { options, visit, form, file, response } = exchange;
  const name = form.text("name");
  try {
    const id = await createImport(options.database.pool, actorOf(visit), {
      name: name === "" ? path.win32.basename(file.name) : name,
      file: await openFile(file.bytes),
      inCommit: (_client, importId) => Promise.resolve(importId),
    });
    response.redirect(303, importPath(id));
  } catch (error) {
    if (!(error instanceof ImportFileError)) throw error;
    await sendList(exchange, { status: error.status, name, problems: { file: error.sentence } });
  }
}

interface ListState {
  readonly status: number;
  /** Of the form of a file, as it was typed. */
  readonly name?: string;
  /** Of the form of Close. */
  readonly closeName?: string;
  readonly problems?: Problems;
  /** Segments are looked for by this. */
  readonly search?: string | undefined;
}

async function sendList(exchange: Exchange, state: ListState): Promise<void> {
  const { options, visit, response } = exchange;
  const { status, name = "", closeName = "", problems = {}, search } = state;
  const { pool } = options.database;
  const imports = await listImports(pool, visit.portal.portalId, IMPORTS_SHOWN);
  const segments = await findSegments(exchange, search);
  const model = { frame: frameOf(exchange), imports, name, closeName, problems, search, segments };
  sendPage(response, status, <ImportsPage {...model} />);
}

const MOST_SEARCHED = 200;

async function findSegments(
  { options, visit }: Exchange,
  search: string | undefined,
): Promise<FoundSegments> {
  const { portalId, scopes } = visit.portal;
  if (!SEGMENT_SCOPES.every((scope) => scopes.includes(scope))) return "not-permitted";
  if (search === undefined) return "not-asked";
  try {
    return await options.segmentsOf(portalId).searchSegments(search.slice(0, MOST_SEARCHED));
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus === 403) return "not-permitted";
    if (error instanceof HubSpotError) return "unavailable";
    throw error;
  }
}
