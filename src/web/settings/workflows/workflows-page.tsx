import { ForAdmins } from "../session/view-only.js";
import type { EnterableFlow } from "#domain/flow-entries/enterable-flows.js";
import type { ListedEntry } from "#domain/flow-entries/list-entries.js";
import type { FlowList } from "#domain/flows/list-flows.js";
import type { MadeFlow } from "#domain/ready-made/made-flow.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { MadeList } from "../ready-made/made-list.js";
import { RECIPES_PATH } from "../ready-made/recipe-names.js";
import type { FixPlaces } from "../words/fixes.js";
import { RECONNECT_PATH, WORKFLOWS_PATH } from "../words/paths.js";
import { numbered } from "../words/format.js";
import { WorkflowRow, type FlowNumbers } from "./workflow-row.js";
import { ContactsCard } from "./contacts-card.js";
import type { ContactsForm } from "./contacts-entry.js";
import { PROBLEMS } from "./workflow-words.js";

export const READ_AGAIN_PATH = `${WORKFLOWS_PATH}/look-again`;
/** Days that the numbers cover. */
export const NUMBER_DAYS = 7;

export interface WorkflowsModel {
  frame: Frame;
  list: FlowList;
  /** By flow id. */
  numbers: ReadonlyMap<string, FlowNumbers>;
  /** What was decided from then on is counted. */
  since: Date;
  places: FixPlaces;
  /** Those that somebody had made here. */
  made: readonly MadeFlow[];
  contacts: ContactsForm;
  enterable: readonly EnterableFlow[];
  entries: readonly ListedEntry[];
}

const NO_NUMBERS: FlowNumbers = { calledAs: null, contacts: 0, enrolled: 0 };

export function WorkflowsPage(model: WorkflowsModel) {
  const { frame, list } = model;
  return (
    <SitePage
      frame={frame}
      current={WORKFLOWS_PATH}
      title="Workflows"
      lead="Workflows in this account that use sequences: how their actions are set up, and how many of their contacts were enrolled."
    >
      <Trouble {...model} />
      <section class="card" aria-labelledby="workflows-title">
        <div class="card-head">
          <h2 id="workflows-title">Your workflows</h2>
          <ForAdmins>
            <div class="actions">
              <a class="button" href={RECIPES_PATH}>
                New workflow
              </a>
              <PostForm action={READ_AGAIN_PATH} formToken={frame.formToken}>
                <button class="button quiet">Sync now</button>
              </PostForm>
            </div>
          </ForAdmins>
        </div>
        {list.flows.length === 0 ? <Nothing list={list} /> : <WorkflowTable {...model} />}
        <Reading {...model} />
      </section>
      <MadeList {...model} />
      <ContactsCard {...model} />
    </SitePage>
  );
}

function WorkflowTable({ frame, list, numbers, since, places }: WorkflowsModel) {
  const rest = list.count - list.flows.length;
  return (
    <>
      <table class="workflows">
        <thead>
          <tr>
            <th scope="col">Workflow</th>
            <th scope="col">Status</th>
            <th scope="col">Actions</th>
            <th scope="col">Contacts, {NUMBER_DAYS} days</th>
            <th scope="col">Enrolled</th>
          </tr>
        </thead>
        <tbody>
          {list.flows.map((flow) => (
            <WorkflowRow
              key={flow.flowId}
              flow={flow}
              numbers={numbers.get(flow.flowId) ?? NO_NUMBERS}
              since={since}
              places={places}
              format={frame.format}
            />
          ))}
        </tbody>
      </table>
      {rest > 0 ? <p class="note">{numbered(rest, "more workflow")} not shown here.</p> : null}
    </>
  );
}

/** Nothing to list: because nothing is there, or because we do not know. */
function Nothing({ list: { readAt, problem, knowsOurSteps } }: Pick<WorkflowsModel, "list">) {
  if (readAt === null && problem === null)
    return <p class="empty">We're still reading your workflows from HubSpot. Reload in a minute.</p>;
  if (problem !== null) return <p class="empty">No workflows to show.</p>;
  return (
    <p class="empty">
      <strong>No workflow uses a sequence yet.</strong> In HubSpot, add Sequence Enroller's “Enroll in
      sequence” action to a contact workflow.
      {knowsOurSteps
        ? null
        : " We recognize our actions once the first contact has reached one; until then only HubSpot's own actions show here."}
    </p>
  );
}

/** Since when the list stands so. */
function Reading({ frame, list: { readAt, isReading, leftOut } }: Pick<WorkflowsModel, "frame" | "list">) {
  return (
    <>
      {readAt === null ? null : (
        <p class="note">
          Last synced with HubSpot <Time date={readAt} format={frame.format} />; synced every hour.
          {isReading ? " Syncing now." : ""}
        </p>
      )}
      {leftOut === 0 ? null : (
        <p class="note">
          We couldn't read {frame.format.count(leftOut)} of HubSpot's entries, so what we knew about
          {leftOut === 1 ? " it" : " them"} before is shown.
        </p>
      )}
    </>
  );
}

function Trouble({ list: { problem, message, flows } }: WorkflowsModel) {
  if (problem === null) return null;
  return (
    <div class={`notice ${problem === "SCOPE_MISSING" ? "bad" : "wait"}`} role="status">
      <p>
        {PROBLEMS[problem]}
        {message === null || problem === "SCOPE_MISSING" ? null : (
          <>
            {" "}
            HubSpot's message: <bdi>{message}</bdi>
          </>
        )}
      </p>
      {flows.length === 0 ? null : <p>The list below is from before.</p>}
      {problem === "SCOPE_MISSING" ? (
        <p>
          <a class="button" href={RECONNECT_PATH}>
            Reconnect
          </a>
        </p>
      ) : null}
    </div>
  );
}
