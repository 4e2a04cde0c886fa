import { PostForm } from "../frame/form.js";
import { HELPER_NAME, STAMP_PROPERTY, STAMP_PROPERTY_DEFINITION } from "#domain/unenroll/helper-flow.js";
import { PROBLEM_SENTENCES } from "#domain/unenroll/problem-sentences.js";
import type { UnenrollSetup } from "#domain/unenroll/setup.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { Time } from "../frame/connection.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { flowUrl } from "../words/fixes.js";
import type { Format } from "../words/format.js";
import { reconnectPath } from "../words/paths.js";

export interface UnenrollPageModel {
  readonly frame: Frame;
  /** Undefined: switched off. */
  readonly setup: UnenrollSetup | undefined;
  /** Permissions that the account has not given yet. */
  readonly missingScopes: readonly string[];
  readonly portalId: PortalId;
  readonly hubspotUrl: string;
  readonly format: Format;
}

const BADGES = {
  MAKING: ["waiting", "Being set up"],
  ON: ["enrolled", "On"],
  REMOVING: ["waiting", "Being removed"],
} as const;

export function UnenrollPage(model: UnenrollPageModel) {
  return (
    <SitePage
      title="Unenroll"
      current="/settings/unenroll"
      frame={model.frame}
      lead="Take contacts out of their sequence with the workflow action “Unenroll from sequence”, or when an enrollment replaces it."
    >
      <StateCard {...model} />
      <HelperCard />
    </SitePage>
  );
}

function StateCard(model: UnenrollPageModel) {
  const { setup, frame } = model;
  const [tone, label] =
    setup === undefined
      ? (["answered", "Off"] as const)
      : setup.problem === undefined
        ? BADGES[setup.state]
        : (["failed", "Not working"] as const);
  return (
    <section class="card" aria-labelledby="unenroll-title">
      <div class="card-head">
        <h2 id="unenroll-title">Unenrolling</h2>
        <span class={`badge ${tone}`}>{label}</span>
      </div>
      <Situation {...model} />
      {setup === undefined || setup.state === "REMOVING" ? null : (
        <PostForm action="/settings/unenroll/off" formToken={frame.formToken}>
          <p>
            Turning this off deletes the helper workflow and the contact property. “Unenroll from sequence”
            actions then end with the outcome NOT_SUPPORTED, and contacts whose sequence would be replaced
            stay in it.
          </p>
          <button class="button">Turn off</button>
        </PostForm>
      )}
    </section>
  );
}

function Situation(model: UnenrollPageModel) {
  const { setup } = model;
  if (setup === undefined)
    return (
      <>
        <p>Nothing has been created in HubSpot yet. Turning this on creates what is listed below.</p>
        <SwitchOn {...model} words="Turn on" />
      </>
    );
  if (setup.problem !== undefined) return <Broken {...model} setup={setup} problem={setup.problem} />;
  if (setup.state === "MAKING")
    return (
      <p>
        Creating the contact property and the helper workflow in HubSpot.{" "}
        {setup.lastProblem === undefined ? "" : `The last try failed: ${setup.lastProblem} `}
        <a href="/settings/unenroll">Reload</a>
      </p>
    );
  if (setup.state === "REMOVING")
    return (
      <p>
        The helper workflow is deleted once no contact is being unenrolled.{" "}
        {setup.lastProblem === undefined ? "" : `The last try failed: ${setup.lastProblem} `}
        <a href="/settings/unenroll">Reload</a>
      </p>
    );
  return <Working {...model} setup={setup} />;
}

function Working({ setup, portalId, hubspotUrl, format }: UnenrollPageModel & { setup: UnenrollSetup }) {
  return (
    <p>
      The helper workflow is working
      {setup.checkedAt === undefined ? (
        ""
      ) : (
        <>
          , last checked <Time date={setup.checkedAt} format={format} />
        </>
      )}
      . Ending a contact's sequence takes about a minute and a half.{" "}
      {setup.flowId === undefined ? null : (
        <a href={flowUrl({ hubspotUrl, portalId }, setup.flowId)} target="_blank" rel="noopener noreferrer">
          Open it in HubSpot ↗
        </a>
      )}
    </p>
  );
}

function Broken(
  model: UnenrollPageModel & { setup: UnenrollSetup; problem: NonNullable<UnenrollSetup["problem"]> },
) {
  const { setup, problem, frame, format } = model;
  const isPermitted = model.missingScopes.length === 0;
  const makeNew = <SwitchOn {...model} words="Create a new one" />;
  return (
    <>
      <p class="notice bad" role="alert">
        {PROBLEM_SENTENCES[problem]}
        {setup.problemAt === undefined ? (
          ""
        ) : (
          <>
            {" "}
            Noticed <Time date={setup.problemAt} format={format} />.
          </>
        )}{" "}
        Until this is fixed, no contact is taken out of its sequence.
      </p>
      {isPermitted ? null : makeNew}
      <div class="actions">
        {isPermitted ? makeNew : null}
        <PostForm action="/settings/unenroll/check" formToken={frame.formToken}>
          <button class="button">Check again</button>
        </PostForm>
      </div>
    </>
  );
}

function SwitchOn({ frame, missingScopes, words }: UnenrollPageModel & { words: string }) {
  if (missingScopes.length > 0)
    return (
      <>
        <p>
          This needs {missingScopes.length === 1 ? "one more permission" : "two more permissions"} in HubSpot,
          used only for this:
        </p>
        <ul>
          {missingScopes.map((scope) => (
            <li>
              <code>{scope}</code>
            </li>
          ))}
        </ul>
        <p>
          <a class="button primary" href={reconnectPath("unenroll")}>
            Grant permissions in HubSpot
          </a>
        </p>
      </>
    );
  return (
    <PostForm action="/settings/unenroll/on" formToken={frame.formToken}>
      <button class="button primary">{words}</button>
    </PostForm>
  );
}

/** What is made in the account, before it is made. */
function HelperCard() {
  return (
    <section class="card" aria-labelledby="helper-title">
      <div class="card-head">
        <h2 id="helper-title">What is created in HubSpot</h2>
      </div>
      <p>
        HubSpot doesn't let apps end an enrollment, but a small workflow in your account can. This is all of
        it:
      </p>
      <dl class="facts">
        <dt>Contact property (hidden)</dt>
        <dd>
          {STAMP_PROPERTY_DEFINITION.label}, <code>{STAMP_PROPERTY}</code>, a date and time
        </dd>
        <dt>Workflow</dt>
        <dd>{HELPER_NAME}</dd>
        <dt>Trigger</dt>
        <dd>The property is known; contacts re-enroll each time, and leave when it is empty</dd>
        <dt>Only action</dt>
        <dd>Unenroll from sequence</dd>
      </dl>
      <p>
        To unenroll a contact, Sequence Enroller sets the property, waits until the contact is out of its
        sequence, and clears the property again. If someone changes the workflow, we stop using it, tell you,
        and leave it as it is.
      </p>
    </section>
  );
}
