import type { FlowUses } from "#domain/flows/flow-uses.js";
import { UsedByNote } from "../frame/used-by.js";
import type { Format } from "../words/format.js";
import type { DangerState } from "#domain/accounts/portal-pause.js";
import { SitePage, type Frame } from "../frame/shell.js";
import type { Backlog } from "#domain/accounts/backlog.js";
import { Time } from "../frame/connection.js";

export interface DangerPageModel {
  frame: Frame;
  state: DangerState;
  backlog: Backlog;
  format: Format;
  /** Which workflows enroll by our action. */
  uses: FlowUses;
}

export function DangerPage(model: DangerPageModel) {
  return (
    <SitePage
      title="Danger zone"
      current="/settings/danger"
      frame={model.frame}
      lead="What stops the work, or cannot be undone."
    >
      <PauseCard {...model} />
      <EraseCard {...model} />
      <DisconnectCard {...model} />
    </SitePage>
  );
}

function PauseCard({ frame, state: { pausedAt }, backlog, format }: DangerPageModel) {
  return (
    <section class="card" aria-labelledby="pause-title">
      <div class="card-head">
        <h2 id="pause-title">Pause enrolling</h2>
        {pausedAt === null ? null : <span class="badge waiting">Paused</span>}
      </div>
      {pausedAt === null ? (
        <p>
          While it is paused, nobody is enrolled. Contacts that reach the step wait there, and go on when you
          resume. Each waits until its deadline at most.
        </p>
      ) : (
        <p>
          Paused since <Time date={pausedAt} format={format} />. Contacts that reach the step wait there.
        </p>
      )}
      <PauseCost backlog={backlog} format={format} />
      <form method="post" action={pausedAt === null ? "/settings/danger/pause" : "/settings/danger/resume"}>
        <input type="hidden" name="form_token" value={frame.formToken} />
        <button class={pausedAt === null ? "button" : "button primary"}>
          {pausedAt === null ? "Pause enrolling" : "Resume enrolling"}
        </button>
      </form>
    </section>
  );
}

/** What a pause does to waiting contacts: it outlasts some deadlines, and those contacts are released. */
function PauseCost({ backlog, format }: Pick<DangerPageModel, "backlog" | "format">) {
  const { undecided, isPartial, firstDeadlineAt } = backlog;
  if (firstDeadlineAt === null) return <p>Nobody waits to be enrolled now.</p>;
  return (
    <p>
      {format.count(undecided)}
      {isPartial ? "+" : ""} {undecided === 1 ? "contact waits" : "contacts wait"} to be enrolled now. The
      first is released (not enrolled) on <Time date={firstDeadlineAt} format={format} />, if the pause lasts
      until then.
    </p>
  );
}

function EraseCard({ frame, state: { isErasing } }: DangerPageModel) {
  return (
    <section class="card" aria-labelledby="erase-title">
      <div class="card-head">
        <h2 id="erase-title">Delete the history</h2>
        {isErasing ? (
          <>
            <span class="badge waiting">Deleting now</span>
            <a href="/settings/danger">Reload</a>
          </>
        ) : null}
      </div>
      <p>
        Deletes every finished execution: who was enrolled when, and why somebody was not. Of the last eight
        days only the bare ids and outcomes are kept until they are eight days old, since HubSpot may still
        ask about them; addresses and details go at once. Contacts that wait, your settings and the audit log
        stay. This cannot be undone.
      </p>
      <Confirmed frame={frame} action="/settings/danger/erase" id="erase" button="Delete the history" />
    </section>
  );
}

function DisconnectCard({ frame, uses }: DangerPageModel) {
  return (
    <section class="card" aria-labelledby="disconnect-title">
      <div class="card-head">
        <h2 id="disconnect-title">Disconnect the account</h2>
      </div>
      <p>
        Switches unenrolling off and deletes its helper workflow, uninstalls the app in HubSpot, which mails
        your super admins, and erases our access to the account. Workflows that use the action go on, and
        their contacts are not enrolled. Settings and history are kept for 30 days, for when you connect
        again; then everything is deleted. Your alert addresses are told a week before.
      </p>
      <UsedByNote uses={uses} flows={uses.all} />
      <Confirmed
        frame={frame}
        action="/settings/danger/disconnect"
        id="disconnect"
        button="Disconnect the account"
      />
    </section>
  );
}

/** A form that does something only if the account's number was typed. */
function Confirmed({
  frame,
  action,
  id,
  button,
}: {
  frame: Frame;
  action: string;
  id: string;
  button: string;
}) {
  return (
    <form method="post" action={action} class="narrow">
      <input type="hidden" name="form_token" value={frame.formToken} />
      <label for={`${id}-confirmation`}>
        To confirm, type this account's number: {frame.portal.portalId.toString()}
      </label>
      <input
        id={`${id}-confirmation`}
        name="confirmation"
        type="text"
        inputmode="numeric"
        autocomplete="off"
        maxLength={20}
      />
      <button class="button danger">{button}</button>
    </form>
  );
}
