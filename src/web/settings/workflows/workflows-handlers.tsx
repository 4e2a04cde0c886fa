import { listEnterableFlows } from "#domain/flow-entries/enterable-flows.js";
import { listEntries } from "#domain/flow-entries/list-entries.js";
import { putInWorkflow } from "#domain/flow-entries/put-in-workflow.js";
import { requestFlows } from "#domain/flows/flow-state.js";
import { listFlows, type KnownFlow } from "#domain/flows/list-flows.js";
import { readReport } from "#domain/history/report.js";
import { NOTHING, type ReportLine } from "#domain/history/report-line.js";
import { listMadeFlows } from "#domain/ready-made/made-flow.js";
import { DAY_MS } from "#platform/time/units.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, statusOf } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { hubspotUrlOf, WORKFLOWS_PATH } from "../words/paths.js";
import {
  emptyContactsEntry,
  parseContactsEntry,
  readContactsEntry,
  type ContactsForm,
} from "./contacts-entry.js";
import { ENTRIES_ID } from "./contacts-card.js";
import type { FlowNumbers } from "./workflow-row.js";
import { NUMBER_DAYS, WorkflowsPage } from "./workflows-page.js";

/** HubSpot is asked again for the same list after this time at the earliest. */
const LOOK_AGAIN_MS = 60_000;
/** Lines of the report that the numbers are taken from: twice as many as workflows are listed. */
const MOST_LINES = 1_000;

/** `GET /settings/workflows` */
export async function showWorkflows(exchange: Exchange): Promise<void> {
  await sendWorkflows(exchange, { entry: emptyContactsEntry(), problems: {} });
}

/** `POST /settings/workflows/contacts`: puts contacts in a workflow, however often the same form is sent. */
export async function putContactsIn(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const entry = readContactsEntry(form);
  const parsed = parseContactsEntry(entry);
  if ("problems" in parsed) return sendWorkflows(exchange, { entry, problems: parsed.problems });
  const outcome = await putInWorkflow(options.database.pool, actorOf(visit), parsed.request);
  if (outcome.kind === "unknown-flow")
    return sendWorkflows(exchange, { entry, problems: { flow: "Choose a workflow from the list." } });
  options.wake(visit.portal.portalId);
  finishForm(exchange, "contacts-put-in", `${WORKFLOWS_PATH}#${ENTRIES_ID}`);
}

async function sendWorkflows(exchange: Exchange, contacts: ContactsForm): Promise<void> {
  const { options, visit, response } = exchange;
  const { portal } = visit;
  const { portalId } = portal;
  const { pool } = options.database;
  const asked = new Date(options.now().getTime() - NUMBER_DAYS * DAY_MS);
  const [list, made, enterable, entries, report] = await Promise.all([
    listFlows(pool, portalId),
    listMadeFlows(pool, portalId),
    listEnterableFlows(pool, portalId),
    listEntries(pool, portalId),
    readReport(options.database, portalId, { group: "workflow", since: asked, limit: MOST_LINES }),
  ]);
  const byId = new Map(report.lines.map((line) => [line.id, line]));
  const numbers = new Map(list.flows.map((flow) => [flow.flowId, numbersOf(flow, byId)]));
  const places = { portalId, hubspotUrl: hubspotUrlOf(portal, options.appUrl) };
  const model = { frame: frameOf(exchange), list, numbers, since: report.since, places };
  const page = (
    <WorkflowsPage {...model} made={made} contacts={contacts} enterable={enterable} entries={entries} />
  );
  sendPage(response, statusOf(contacts), page);
}

/** `POST /settings/workflows/look-again` */
export async function readAgain(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  const { portalId } = visit.session;
  const isAsked = await requestFlows(options.database.pool, portalId, { minAgeMs: LOOK_AGAIN_MS });
  if (isAsked) options.wake(portalId);
  finishForm(exchange, isAsked ? "workflows-asked" : "workflows-recent");
}

/** Calls name a workflow by either of its ids; what came under one of them came from it. */
function numbersOf(
  { flowId, workflowId }: KnownFlow,
  byId: ReadonlyMap<string | null, ReportLine>,
): FlowNumbers {
  const lines = [...new Set([flowId, workflowId])].flatMap((id) => byId.get(id) ?? []);
  const sum = (count: (line: ReportLine) => number) => lines.reduce((total, line) => total + count(line), 0);
  const called = lines[0] ?? NOTHING;
  return {
    calledAs: called.id,
    enrolled: sum(({ enrolled }) => enrolled),
    contacts: sum((line) => line.enrolled + line.alreadyEnrolled + line.skipped + line.failed),
  };
}
