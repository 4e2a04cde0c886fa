import type { KnownFlow } from "#domain/flows/list-flows.js";
import type { ListedStep } from "#domain/flows/listed-step.js";
import { shorten } from "#platform/text/shorten.js";
import { decidedAddress } from "../words/activity-address.js";
import { flowUrl, type FixPlaces } from "../words/fixes.js";
import type { Format } from "../words/format.js";
import { addressOf } from "../words/addresses.js";
import { ACTIVITY_PATH, workflowRowId } from "../words/paths.js";
import { LONGEST_LABEL } from "../words/names.js";
import { STEP_TITLES } from "../words/step-titles.js";
import { factsOf, STATES, WARNINGS } from "./workflow-words.js";

/** What came of a workflow's contacts in the last days. */
export interface FlowNumbers {
  /** The id under which its calls came; null: none came. */
  readonly calledAs: string | null;
  readonly contacts: number;
  readonly enrolled: number;
}

export interface WorkflowRowModel {
  flow: KnownFlow;
  numbers: FlowNumbers;
  /** What was decided from then on is counted. */
  since: Date;
  places: FixPlaces;
  format: Format;
}

export function WorkflowRow({ flow, numbers, since, places, format }: WorkflowRowModel) {
  const { contacts, enrolled, calledAs } = numbers;
  return (
    <tr id={workflowRowId(flow.flowId)}>
      <th scope="row">
        <FlowName flow={flow} places={places} />
      </th>
      <td data-label="Status">
        <span class={`badge ${STATES[flow.state].tone}`}>{STATES[flow.state].label}</span>
      </td>
      <td data-label="Actions" class="wide">
        <ul class="flow-steps">
          {flow.steps.map((step) => (
            <Step key={step.actionId} step={step} />
          ))}
        </ul>
      </td>
      <td data-label="Contacts">
        {calledAs === null ? (
          <span>–</span>
        ) : (
          <>
            <a href={decidedAddress(since, { workflow: calledAs })}>{format.count(contacts)}</a>
            <a
              class="note line"
              href={addressOf(ACTIVITY_PATH, { kind: "ENROLL", workflow: calledAs, since: "yesterday" })}
              aria-label={`Yesterday's contacts of ${shorten(flow.name ?? flow.flowId, LONGEST_LABEL)}`}
            >
              Yesterday
            </a>
          </>
        )}
      </td>
      <td data-label="Enrolled">
        <span>{contacts === 0 ? "–" : format.percent(enrolled / contacts)}</span>
      </td>
    </tr>
  );
}

/** HubSpot has no page of a workflow that was deleted. */
function FlowName({ flow, places }: Pick<WorkflowRowModel, "flow" | "places">) {
  const name = <bdi class="clamp">{shorten(flow.name ?? `Workflow ${flow.flowId}`, LONGEST_LABEL)}</bdi>;
  if (flow.state === "deleted") return name;
  return (
    <a href={flowUrl(places, flow.flowId)} target="_blank" rel="noopener noreferrer">
      {name}
    </a>
  );
}

function Step({ step }: { step: ListedStep }) {
  return (
    <li>
      <strong>{STEP_TITLES[step.kind]}</strong>
      {factsOf(step).map(([name, value]) => (
        <span key={name} class="line">
          {name}: <bdi>{value}</bdi>
        </span>
      ))}
      {step.warnings.map((warning) => (
        <p key={warning} class="warning">
          {WARNINGS[warning]}
        </p>
      ))}
    </li>
  );
}
