import { PostForm } from "../frame/form.js";
import { fullLabel, type PeopleList } from "#domain/directory/people.js";
import { CutNote } from "../frame/cut-note.js";
import type { AccountMember, AccountRole } from "#domain/accounts/rights.js";
import type { UserList } from "#domain/directory/user-list.js";
import { Time } from "../frame/connection.js";
import { LONGEST_LABEL } from "../words/names.js";
import { RECONNECT_PATH } from "../words/paths.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { shorten } from "#platform/text/shorten.js";

export interface AccessPageModel {
  frame: Frame;
  members: readonly AccountMember[];
  /** Active users of the account who may not use the site yet. */
  others: PeopleList;
  userList: UserList;
}

const REASONS: Readonly<Record<AccountMember["reason"], string>> = {
  "super-admin": "Super admin in HubSpot",
  installed: "Installed the app",
  "let-in": "Added by an admin",
};

export const ROLES: Readonly<Record<AccountRole, string>> = { admin: "Admin", viewer: "Viewer" };
const CALLED: Readonly<Record<AccountRole, string>> = { admin: "an admin", viewer: "a viewer" };
const OTHER_ROLE: Readonly<Record<AccountRole, AccountRole>> = { admin: "viewer", viewer: "admin" };

export function AccessPage({ frame, members, others, userList }: AccessPageModel) {
  return (
    <SitePage
      title="Users and access"
      current="/settings/access"
      frame={frame}
      lead="Admins can change everything; viewers can see everything and change nothing. HubSpot super admins are always admins."
    >
      <section class="card" aria-labelledby="who-title">
        <div class="card-head">
          <h2 id="who-title">Users with access</h2>
        </div>
        <UserListNote userList={userList} frame={frame} />
        <table>
          <thead>
            <tr>
              <th scope="col">User</th>
              <th scope="col">Role</th>
              <th scope="col">Access</th>
              <th scope="col">
                <span class="unseen">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {members.map((person) => (
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
        Super admins come from HubSpot. Last synced {readAt}
        {userList.state === "stale" ? "; you can't change anything here until we've synced again" : ""}.
      </p>
    );
  }
  return (
    <p class="notice wait">
      We can't see who your super admins are because <code>settings.users.read</code> wasn't granted.{" "}
      {userList.state === "fixed" ? (
        <>The list may be out of date. Last synced {readAt}.</>
      ) : (
        "Until then, the user who installed the app is treated as an admin."
      )}{" "}
      <a href={RECONNECT_PATH}>Reconnect</a> to grant it.
    </p>
  );
}

const isRenewed = ({ state }: UserList): boolean => state !== "fixed" && state !== "none";

function Row({ person, formToken }: { person: AccountMember; formToken: string }) {
  const { userId, label, role, reason } = person;
  const name = shorten(label, LONGEST_LABEL);
  return (
    <tr>
      <td data-label="User">
        <bdi>{name}</bdi>
      </td>
      <td data-label="Role">{ROLES[role]}</td>
      <td data-label="Access">{REASONS[reason]}</td>
      <td data-label="">
        {reason === "let-in" ? (
          <div class="actions">
            <PostForm action="/settings/access/role" formToken={formToken}>
              <input type="hidden" name="user_id" value={userId.toString()} />
              <input type="hidden" name="role" value={OTHER_ROLE[role]} />
              <button class="button quiet" aria-label={`Make ${CALLED[OTHER_ROLE[role]]}: ${name}`}>
                Make {CALLED[OTHER_ROLE[role]]}
              </button>
            </PostForm>
            <PostForm action="/settings/access/take-out" formToken={formToken}>
              <input type="hidden" name="user_id" value={userId.toString()} />
              <button class="button quiet" aria-label={`Remove access of ${name}`}>
                Remove
              </button>
            </PostForm>
          </div>
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
        <h2 id="let-in-title">Add a user</h2>
      </div>
      {others.people.length === 0 ? (
        <p class="empty">
          All users already have access.{" "}
          {isRenewed(userList)
            ? "New HubSpot users appear here within an hour."
            : "New HubSpot users appear here once the app works in the account again."}
        </p>
      ) : (
        <PostForm action="/settings/access/let-in" formToken={formToken} class="narrow">
          <label for="let-in-user">User</label>
          <select id="let-in-user" name="user_id" aria-describedby="let-in-note" required>
            <option value="">Choose a user</option>
            {others.people.map((person) => (
              <option key={String(person.userId)} value={person.userId.toString()}>
                {shorten(fullLabel(person), LONGEST_LABEL)}
              </option>
            ))}
          </select>
          <label for="let-in-role">Role</label>
          <select id="let-in-role" name="role" aria-describedby="let-in-note">
            <option value="viewer">Viewer: sees everything, changes nothing</option>
            <option value="admin">Admin: changes everything, also who has access</option>
          </select>
          <p class="note" id="let-in-note">
            To sign in, they also need permission to manage apps in HubSpot.
          </p>
          <CutNote list={others} />
          <button class="button primary">Give access</button>
        </PostForm>
      )}
    </section>
  );
}
