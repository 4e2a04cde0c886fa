import type { Request, Response } from "express";
import { readFields, readId } from "#web/kit/form-fields.js";
import { Page, sendPage } from "#web/kit/page.js";
import { clearNotice } from "../frame/notices.js";
import { ACCOUNTS_PATH } from "../frame/navigation.js";
import type { Session } from "../session/session.js";
import type { SettingsOptions } from "../session/site-options.js";
import { judgeSession, type Visit } from "../session/visit.js";
import { refuseForm } from "./admit-form.js";
import { SignInPage } from "./gate-pages.js";

/** One account that the browser signed in to, and what its user may do there now. */
interface Account {
  readonly session: Session;
  readonly visit: Visit;
}

/**
 * `GET /settings/accounts`: the accounts that this browser's sign-ins proved. Each is judged as of now: of one that its user may
 * not look at anymore, nothing is told but its number.
 */
export async function showAccounts(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const signedIn = options.sessions.readAll(request);
  if (signedIn === undefined) return sendPage(response, 401, <SignInPage notice={undefined} />);
  const accounts: Account[] = [];
  // One after the other: the site has few connections.
  for (const session of [signedIn.current, ...signedIn.others])
    accounts.push({ session, visit: await judgeSession(options, session) });
  if (accounts.every(({ visit }) => visit.kind === "stranger"))
    return sendPage(response, 401, <SignInPage notice={undefined} />);
  const { current } = signedIn;
  const formToken = options.sessions.formToken(current);
  sendPage(response, 200, <AccountsPage accounts={accounts} current={current} formToken={formToken} />);
}

/**
 * `POST /settings/accounts/switch`: goes on with another account. Forms of the one before are refused from then on, since
 * their token is of that sign-in.
 */
export async function switchAccount(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const { sessions, cookies } = options;
  const signedIn = sessions.readAll(request);
  if (signedIn === undefined) return response.redirect(303, "/settings");
  const form = readFields(request.body);
  if (!sessions.isFormToken(signedIn.current, form.text("form_token"))) return refuseForm(response);
  const chosen = signedIn.others.find(({ portalId }) => portalId === readId(form.text("account")));
  if (chosen === undefined) return response.redirect(303, "/settings");
  if ((await judgeSession(options, chosen)).kind === "stranger") return response.redirect(303, ACCOUNTS_PATH);
  sessions.switchTo(request, response, chosen.portalId);
  clearNotice(cookies, response);
  response.redirect(303, "/settings");
}

const ACCESS: Readonly<Record<Visit["kind"], string>> = {
  member: "",
  disconnected: "Disconnected",
  "not-admitted": "No access",
  stranger: "Sign in again",
};

const accessOf = (visit: Visit): string => {
  if (visit.kind === "member") return visit.role === "admin" ? "Admin" : "View only";
  return ACCESS[visit.kind];
};

interface AccountsModel {
  accounts: readonly Account[];
  current: Session;
  formToken: string;
}

function AccountsPage({ accounts, current, formToken }: AccountsModel) {
  return (
    <Page title="Your accounts">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>Your accounts</h1>
        <p>
          The HubSpot accounts you&rsquo;re signed in to
          {current.userEmail === null ? "" : ` as ${current.userEmail}`}.
        </p>
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Your access</th>
              <th scope="col">
                <span class="unseen">Switch</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {accounts.map((account) => (
              <Row key={account.session.id} {...account} current={current} formToken={formToken} />
            ))}
          </tbody>
        </table>
        <p class="actions">
          <a class="button" href="/settings/sign-in">
            Sign in to another account
          </a>
          <a class="button" href="/settings">
            Back
          </a>
        </p>
      </main>
    </Page>
  );
}

function Row({ session, visit, current, formToken }: Account & Omit<AccountsModel, "accounts">) {
  const name = nameOf({ session, visit });
  return (
    <tr>
      <td data-label="Account">
        <bdi>{name}</bdi>
      </td>
      <td data-label="Your access">{accessOf(visit)}</td>
      <td data-label="">
        {session.id === current.id ? (
          "In use"
        ) : visit.kind === "stranger" ? null : (
          <form method="post" action={`${ACCOUNTS_PATH}/switch`}>
            <input type="hidden" name="form_token" value={formToken} />
            <input type="hidden" name="account" value={session.portalId.toString()} />
            <button class="button" aria-label={`Switch to ${name}`}>
              Switch
            </button>
          </form>
        )}
      </td>
    </tr>
  );
}

/** A name only of an account that its user may look at. */
function nameOf({ session, visit }: Account): string {
  const number = session.portalId.toString();
  if (visit.kind !== "member" && visit.kind !== "disconnected") return `Account ${number}`;
  const { hubDomain } = visit.portal;
  return hubDomain === null ? `Account ${number}` : `${hubDomain} · ${number}`;
}
