import type { MadeFlow, MadeFlowProblem } from "#domain/ready-made/made-flow.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import type { Frame } from "../frame/shell.js";
import { flowUrl, type FixPlaces } from "../words/fixes.js";
import { LONGEST_LABEL } from "../words/names.js";
import { RECONNECT_PATH, reconnectPath, WORKFLOWS_PATH } from "../words/paths.js";
import { RECIPE_WORDS } from "./recipe-names.js";

export const MADE_PATH = `${WORKFLOWS_PATH}/made`;

interface MadeListModel {
  frame: Frame;
  made: readonly MadeFlow[];
  places: FixPlaces;
}

const STATES: Readonly<Record<Exclude<MadeFlow["state"], "REMOVED">, { label: string; tone: string }>> = {
  MAKING: { label: "Creating", tone: "waiting" },
  SENDING: { label: "Creating", tone: "waiting" },
  MADE: { label: "Created", tone: "enrolled" },
  REMOVING: { label: "Deleting", tone: "waiting" },
  FAILED: { label: "Not created", tone: "failed" },
};

/** Workflows that somebody had made here; nothing while there are none. */
export function MadeList({ frame, made, places }: MadeListModel) {
  if (made.length === 0) return null;
  return (
    <section class="card" aria-labelledby="made-title">
      <div class="card-head">
        <h2 id="made-title">Created here</h2>
      </div>
      <ul class="made-flows">
        {made.map((flow) => (
          <Made key={String(flow.id)} flow={flow} frame={frame} places={places} />
        ))}
      </ul>
    </section>
  );
}

function Made({ flow, frame, places }: { flow: MadeFlow } & Omit<MadeListModel, "made">) {
  const { label, tone } = STATES[flow.state === "REMOVED" ? "REMOVING" : flow.state];
  return (
    <li>
      <div class="made-head">
        <strong>
          <bdi>{shorten(flow.name, LONGEST_LABEL)}</bdi>
        </strong>
        <span class={`badge ${tone}`}>{label}</span>
      </div>
      <p class="note">
        {RECIPE_WORDS[flow.recipe].title} · requested <Time date={flow.createdAt} format={frame.format} />
        {flow.madeBy === null ? null : (
          <>
            {" "}
            by <bdi>{shorten(flow.madeBy, LONGEST_LABEL)}</bdi>
          </>
        )}
      </p>
      <Situation flow={flow} places={places} />
      {(flow.state === "MADE" && !flow.isChanged) || flow.state === "FAILED" ? (
        <Remove flow={flow} frame={frame} />
      ) : null}
    </li>
  );
}

function Situation({ flow, places }: { flow: MadeFlow; places: FixPlaces }) {
  const { state, problem, message, flowId } = flow;
  const open = flowId === undefined ? null : <Open href={flowUrl(places, flowId)} />;
  if (problem !== undefined)
    return (
      <p class="warning" role="status">
        {PROBLEMS[problem]}
        {message === undefined ? null : (
          <>
            {" "}
            HubSpot's message: <bdi>{shorten(message, 500)}</bdi>
          </>
        )}{" "}
        {problem === "NO_PERMISSION" ? (
          <a href={flow.takesStamps ? reconnectPath("unenroll") : RECONNECT_PATH}>Reconnect</a>
        ) : (
          open
        )}
      </p>
    );
  if (flow.isChanged)
    return (
      <p>
        Someone changed it or turned it on since, so we no longer manage it. Delete it in HubSpot if you don't
        need it. {open}
      </p>
    );
  if (state === "MADE") return <p>Created, turned off. Check it, then turn it on in HubSpot. {open}</p>;
  return (
    <p>
      {message === undefined ? "" : `Last attempt failed: ${shorten(message, 500)} We'll keep trying. `}
      <a href={WORKFLOWS_PATH}>Reload</a>
    </p>
  );
}

const PROBLEMS: Readonly<Record<MadeFlowProblem, string>> = {
  NO_PERMISSION:
    "HubSpot didn't let us do this because a permission is missing. A super admin can grant it by reconnecting; then create the workflow again.",
  REFUSED: "HubSpot rejected this workflow.",
  CHANGED:
    "Not deleted: someone changed it or turned it on in HubSpot, so we no longer manage it. Delete it there.",
};

function Open({ href }: { href: string }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      Open in HubSpot ↗
    </a>
  );
}

function Remove({ flow: { id, state, flowId }, frame }: { flow: MadeFlow; frame: Frame }) {
  const isThere = state === "MADE" && flowId !== undefined;
  return (
    <details class="confirm">
      <summary>{isThere ? "Delete this workflow" : "Remove from this list"}</summary>
      {isThere ? (
        <p>Deletes the workflow in HubSpot unless someone changed it there. Contacts in it leave it.</p>
      ) : (
        <p>Nothing was created in HubSpot.</p>
      )}
      <PostForm action={`${MADE_PATH}/${id}/delete`} formToken={frame.formToken}>
        <button class="button danger">{isThere ? "Delete" : "Remove"}</button>
      </PostForm>
    </details>
  );
}
