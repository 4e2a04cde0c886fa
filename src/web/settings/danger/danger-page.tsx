import { PostForm } from "../frame/form.js";
import { PauseFields } from "../frame/pause-menu.js";
import type { FlowUses } from "#domain/flows/flow-uses.js";
import { UsedByNote } from "../frame/used-by.js";
import { numbered, type Format } from "../words/format.js";
import { MOST_RECORDS_COUNTED, type DangerState } from "#domain/accounts/portal-pause.js";
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
      title="Connection and data"
      current="/settings/danger"
      frame={model.frame}
      lead="Pause, delete history, or disconnect."
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
        <h2 id="pause-title">Pause enrollment</h2>
        {pausedAt === null ? null : <span class="badge waiting">Paused</span>}
      </div>
      {pausedAt === null ? (
        <p>
          New contacts wait at the action and are enrolled when you resume, each until its deadline. Contacts
          already in a sequence keep receiving its emails.
        </p>
      ) : (
        <p>
          Paused <Time date={pausedAt} format={format} />. New contacts wait at the action. Contacts already
          in a sequence keep receiving its emails.
        </p>
      )}
      <PauseCost backlog={backlog} format={format} />
      <PostForm
        action={pausedAt === null ? "/settings/danger/pause" : "/settings/danger/resume"}
        formToken={frame.formToken}
      >
        {pausedAt === null ? <PauseFields /> : null}
        <button class={pausedAt === null ? "button" : "button primary"}>
          {pausedAt === null ? "Pause enrollment" : "Resume enrollment"}
        </button>
      </PostForm>
    </section>
  );
}

/** What a pause does to waiting contacts: it outlasts some deadlines, and those contacts are released. */
function PauseCost({ backlog, format }: Pick<DangerPageModel, "backlog" | "format">) {
  const { undecided, isPartial, firstDeadlineAt } = backlog;
  if (firstDeadlineAt === null) return <p>No contacts are waiting.</p>;
  return (
    <p>
      {format.count(undecided)}
      {isPartial ? "+" : ""} {undecided === 1 ? "contact is" : "contacts are"} waiting to be enrolled. First
      deadline: <Time date={firstDeadlineAt} format={format} />. If still paused then, that contact continues
      without being enrolled.
    </p>
  );
}

function EraseCard({ frame, state: { isErasing, records } }: DangerPageModel) {
  const isMore = records >= MOST_RECORDS_COUNTED;
  const shown = `${isMore ? "at least " : ""}${numbered(records, "record")}`;
  return (
    <section class="card" aria-labelledby="erase-title">
      <div class="card-head">
        <h2 id="erase-title">Delete history</h2>
        {isErasing ? (
          <>
            <span class="badge waiting">Deleting now</span>
            <a href="/settings/danger">Reload</a>
          </>
        ) : null}
      </div>
      <p>
        Permanently deletes all activity: <strong>{records === 0 ? "no records yet" : shown}</strong>. For the
        last 8 days we keep IDs and results only, to prevent duplicate enrollments. Waiting contacts,
        settings, and the audit log aren't affected.
      </p>
      <Confirmed frame={frame} action="/settings/danger/erase" id="erase" button="Delete history" />
    </section>
  );
}

function DisconnectCard({ frame, uses }: DangerPageModel) {
  return (
    <section class="card" aria-labelledby="disconnect-title">
      <div class="card-head">
        <h2 id="disconnect-title">Disconnect account</h2>
      </div>
      <p>
        Turns unenrolling off and deletes its helper workflow, uninstalls the app (HubSpot emails your super
        admins) and removes our access. Workflows keep running, but contacts won't be enrolled. Settings and
        history are kept for 30 days in case you reconnect; then everything is deleted. We email your alert
        addresses a week before.
      </p>
      <UsedByNote uses={uses} flows={uses.all} />
      <Confirmed
        frame={frame}
        action="/settings/danger/disconnect"
        id="disconnect"
        button="Disconnect account"
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
    <PostForm action={action} formToken={frame.formToken} class="narrow">
      <label for={`${id}-confirmation`}>
        Type the account ID {frame.portal.portalId.toString()} to confirm
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
    </PostForm>
  );
}
