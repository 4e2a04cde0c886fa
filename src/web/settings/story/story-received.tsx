import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { shorten } from "#platform/text/shorten.js";
import { KIND_LABELS } from "../words/activity-words.js";
import { calledOf } from "../words/contact-words.js";
import { contactUrl, flowUrl, sequenceUrl } from "../words/fixes.js";
import { LONGEST_LABEL } from "../words/names.js";
import { storyPath } from "../words/paths.js";
import { Step } from "./step.js";
import type { StoryModel } from "./story-model.js";

/** How the execution came: by a workflow, by a program, or as an admin's retry. */
export function Received({ story, portalId, hubspotUrl, format }: StoryModel) {
  const { contactId, kind, retryOf, askedBy } = story;
  const contact = (
    <a href={contactUrl({ hubspotUrl, portalId }, contactId)} target="_blank" rel="noopener noreferrer">
      <bdi>{calledOf(story)}</bdi> ↗
    </a>
  );
  if (retryOf !== null) {
    return (
      <Step title="Retried by an admin" at={story.acceptedAt} format={format}>
        <p>
          Retry of <a href={storyPath(retryOf)}>an earlier attempt</a> for {contact}. We check HubSpot first
          so no one is enrolled twice.
        </p>
      </Step>
    );
  }
  if (askedBy !== null) {
    return (
      <Step title="Asked for" at={story.acceptedAt} format={format}>
        <p>
          By <bdi>{shorten(askedBy, LONGEST_ADDRESS)}</bdi>: “{KIND_LABELS[kind]}” for {contact}.
        </p>
      </Step>
    );
  }
  return (
    <Step title="Received from HubSpot" at={story.acceptedAt} format={format}>
      <p>
        <CallingWorkflow story={story} portalId={portalId} hubspotUrl={hubspotUrl} /> started “
        {KIND_LABELS[kind]}” for {contact}
        {story.sequence === null ? null : (
          <>
            {" "}
            and the sequence <SequenceName story={story} portalId={portalId} hubspotUrl={hubspotUrl} />
          </>
        )}
        .
      </p>
    </Step>
  );
}

/** Linked to HubSpot's editor if it is still there; by its id as long as nothing else is known. */
function CallingWorkflow({
  story,
  portalId,
  hubspotUrl,
}: Pick<StoryModel, "story" | "portalId" | "hubspotUrl">) {
  const { workflowId, workflowName, flowId } = story;
  if (workflowId === null) return <>A workflow</>;
  const name = workflowName === null ? workflowId : <bdi>{shorten(workflowName, LONGEST_LABEL)}</bdi>;
  if (flowId === null) return <>Workflow {name}</>;
  return (
    <>
      Workflow{" "}
      <a href={flowUrl({ hubspotUrl, portalId }, flowId)} target="_blank" rel="noopener noreferrer">
        {name} ↗
      </a>
    </>
  );
}

/** Linked to HubSpot's page of the sequence. */
function SequenceName({
  story,
  portalId,
  hubspotUrl,
}: Pick<StoryModel, "story" | "portalId" | "hubspotUrl">) {
  const { sequence, sequenceId } = story;
  const name = <bdi>{shorten(sequence ?? "", LONGEST_LABEL)}</bdi>;
  if (sequenceId === null) return name;
  return (
    <a href={sequenceUrl({ hubspotUrl, portalId }, sequenceId)} target="_blank" rel="noopener noreferrer">
      {name} ↗
    </a>
  );
}
