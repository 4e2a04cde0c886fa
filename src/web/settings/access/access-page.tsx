import { fullLabel, type PeopleList } from "#domain/directory/people.js";
import { CutNote } from "../frame/cut-note.js";
import type { Administrator } from "#domain/accounts/rights.js";
import type { UserList } from "#domain/directory/user-list.js";
import { Time } from "../frame/connection.js";
import { LONGEST_LABEL } from "../words/names.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { shorten } from "#platform/text/shorten.js";

export interface AccessPageModel {
  frame: Frame;
  administrators: readonly Administrator[];
  /** Active users of the account who may not use the site yet. */
  others: PeopleList;
  userList: UserList;
}

const REASONS: Readonly<Record<Administrator["reason"], string>> = {
  "super-admin": "Super admin in HubSpot",
  installed: "Installed the app",
  "let-in": "Let in here",
};

export function AccessPage({ frame, administrators, others, userList }: AccessPageModel) {
  return (
    <SitePage
      title="Access"
      current="/settings/access"
      frame={frame}
      lead="Who may see and change these pages besides the super admins of the account."
    >
      <section class="card" aria-labelledby="who-title">
        <div class="card-head">
          <h2 id="who-title">Who can use these pages</h2>
        </div>
        <UserListNote userList={userList} frame={frame} />
        <table>
          <thead>
            <tr>
              <th scope="col">User</th>
              <th scope="col">Why</th>
              <th scope="col">
                <span class="unseen">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {administrators.map((person) => (
              <Row key={String(person.userId)} person={person} formToken={frame.formToken} />
            ))}
          </tbody>
        </table>
      </section>
      <LetInForm others={others} userList={userList} formToken={frame.formToken} />
    </SitePage>
  );
}

function UserListNote({ userList, frame }: { userList: UserList; frame: Frame }) {
  const readAt = <Time date={userList.readAt} format={frame.format} />;
  if (isRenewed(userList)) {
    return (
      <p class="note">
        Super admins of the account always can. HubSpot says who they are: at least once an hour, and when one
        of them signs in. Last read {readAt}
        {userList.state === "stale" ? "; nothing can be changed here until it has been read again" : ""}.
      </p>
    );
  }
  return (
    <p class="notice wait">
      HubSpot does not tell us who the super admins are, because the permission{" "}
      <code>settings.users.read</code> was not granted.{" "}
      {userList.state === "fixed" ? (
        <>
          This is the list as HubSpot last gave it, on {readAt}: newer super admins are missing, and former
          ones are still on it.
        </>
      ) : (
        "Until it is, whoever installed the app counts as admin."
      )}{" "}
      <a href={`/oauth/install?portalId=${frame.portal.portalId}`}>Connect again</a> to grant it.
    </p>
  );
}

const isRenewed = ({ state }: UserList): boolean => state !== "fixed" && state !== "none";

function Row({ person, formToken }: { person: Administrator; formToken: string }) {
  const { userId, label, reason } = person;
  return (
    <tr>
      <td data-label="User">
        <bdi>{shorten(label, LONGEST_LABEL)}</bdi>
      </td>
      <td data-label="Why">{REASONS[reason]}</td>
      <td data-label="">
        {reason === "let-in" ? (
          <form method="post" action="/settings/access/take-out">
            <input type="hidden" name="form_token" value={formToken} />
            <input type="hidden" name="user_id" value={userId.toString()} />
            <button class="button quiet" aria-label={`Remove access of ${shorten(label, LONGEST_LABEL)}`}>
              Remove access
            </button>
          </form>
        ) : null}
      </td>
    </tr>
  );
}

function LetInForm({
  others,
  userList,
  formToken,
}: Pick<AccessPageModel, "others" | "userList"> & { formToken: string }) {
  return (
    <section class="card" aria-labelledby="let-in-title">
      <div class="card-head">
        <h2 id="let-in-title">Give someone access</h2>
      </div>
      {others.people.length === 0 ? (
        <p class="empty">
          Everybody we know of in this account can use these pages already.{" "}
          {isRenewed(userList)
            ? "Somebody who is new in HubSpot shows here within the hour."
            : "Somebody who is new in HubSpot shows here once the app works in the account again."}
        </p>
      ) : (
        <form method="post" action="/settings/access/let-in" class="narrow">
          <input type="hidden" name="form_token" value={formToken} />
          <label for="let-in-user">User of this account</label>
          <select id="let-in-user" name="user_id" aria-describedby="let-in-note">
            {others.people.map((person) => (
              <option key={String(person.userId)} value={person.userId.toString()}>
                {shorten(fullLabel(person), LONGEST_LABEL)}
              </option>
            ))}
          </select>
          <p class="note" id="let-in-note">
            They can then see every contact's outcome here, and change everything you can. To sign in, HubSpot
            also wants them to have the permission to manage apps.
          </p>
          <CutNote list={others} />
          <button class="button primary">Give access</button>
        </form>
      )}
    </section>
  );
}
