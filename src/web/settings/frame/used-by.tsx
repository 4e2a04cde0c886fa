import type { FlowUses, UsingFlow } from "#domain/flows/flow-uses.js";
import { shorten } from "#platform/text/shorten.js";
import { numbered } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { workflowPath } from "../words/paths.js";

/** Workflows named one by one; more are counted. */
const NAMED = 5;

interface UsedByModel {
  uses: Pick<FlowUses, "isKnown">;
  /** Those that use it; undefined: none. */
  flows: readonly UsingFlow[] | undefined;
}

/** "Used by 2 workflows: …"; each leads to its place on the page of workflows. As long as none was read, says nothing. */
export function UsedBy({ uses: { isKnown }, flows = [] }: UsedByModel) {
  if (!isKnown) return null;
  if (flows.length === 0) return <>Used by no workflow.</>;
  const rest = flows.length - NAMED;
  return (
    <>
      Used by {numbered(flows.length, "workflow")}:{" "}
      {flows.slice(0, NAMED).map((flow, index) => (
        <span key={flow.flowId}>
          {index === 0 ? "" : ", "}
          <a href={workflowPath(flow.flowId)}>
            <bdi>{shorten(flow.name ?? `Workflow ${flow.flowId}`, LONGEST_LABEL)}</bdi>
          </a>
          {flow.isEnabled ? "" : " (off)"}
        </span>
      ))}
      {rest > 0 ? ` and ${rest} more` : ""}.
    </>
  );
}

/** The same as a note of its own. */
export function UsedByNote({ uses, flows }: UsedByModel) {
  if (!uses.isKnown) return null;
  return (
    <p class="note">
      <UsedBy uses={uses} flows={flows} />
    </p>
  );
}
