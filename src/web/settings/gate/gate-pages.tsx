import { MessagePage, Page } from "#web/kit/page.js";
import type { Backlog } from "#domain/accounts/backlog.js";
import type { Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import type { Administrator } from "#domain/accounts/rights.js";
import { Time } from "../frame/connection.js";
import { shorten } from "#platform/text/shorten.js";

/** What a visitor without a session sees: what this is, the two ways in, and what became of a form sent too late. */
export function SignInPage({ notice }: { notice: string | undefined }) {
  return (
    <Page title="Sign in">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>Enroll workflow contacts in sequences</h1>
        {notice === undefined ? null : (
          <p class="notice bad" role="alert">
            {notice}
          </p>
        )}
        <p>
          Sequence Enroller adds actions to your HubSpot workflows. Every contact that reaches one is enrolled
          in the sequence you chose, from the right sender's inbox, exactly once. Here you see what happened
          to each contact, and why.
        </p>
        <p class="actions">
          <a class="button primary" href="/settings/sign-in">
            Sign in with HubSpot
          </a>
          <a class="button" href="/oauth/install">
            Install in an account
          </a>
        </p>
        <p class="note">
          These pages are for the account's super admins and for whom they let in. Signing in also needs
          HubSpot's permission to manage apps. We learn your email address and which account you chose, never
          your password.
        </p>
      </main>
    </Page>
  );
}

export interface NotAdmittedModel {
  portal: PortalOverview;
  email: string | null;
  /** Who can let them in, by name. */
  administrators: readonly Administrator[];
  formToken: string;
}

const SHOWN_ADMINISTRATORS = 10;

/** For a user of the account whom nobody has let in: why, and whom to ask. */
export function NotAdmittedPage({ portal, email, administrators, formToken }: NotAdmittedModel) {
  const more = administrators.length - SHOWN_ADMINISTRATORS;
  return (
    <Page title="No access">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>You have no access to these pages</h1>
        <p>
          {email === null ? "You are" : `${email} is`} signed in to account {portal.portalId.toString()}, but
          only its super admins, and users they let in, may see and change these settings.
        </p>
        {portal.isConnected ? null : (
          <p class="notice wait">
            The account is not connected to Sequence Enroller now, so contacts in its workflows are not
            enrolled. Only an admin can connect it again.
          </p>
        )}
        {administrators.length === 0 ? (
          <p>Ask a super admin of the account to sign in here, and to let you in.</p>
        ) : (
          <>
            <p>Ask one of them to let you in, under “Access”:</p>
            <ul>
              {administrators.slice(0, SHOWN_ADMINISTRATORS).map(({ userId, label }) => (
                <li key={String(userId)}>
                  <bdi>{shorten(label, LONGEST_LABEL)}</bdi>
                </li>
              ))}
              {more > 0 ? <li>and {more} more</li> : null}
            </ul>
          </>
        )}
        <form method="post" action="/settings/sign-out" class="actions">
          <input type="hidden" name="form_token" value={formToken} />
          <a class="button primary" href="/settings">
            Try again
          </a>
          <button class="button">Sign out</button>
        </form>
      </main>
    </Page>
  );
}

export interface ReconnectModel {
  portal: PortalOverview;
  backlog: Backlog;
  format: Format;
  formToken: string;
}

/** What is left of the site for a portal that is no longer connected. */
export function ReconnectPage({ portal, backlog, format, formToken }: ReconnectModel) {
  return (
    <Page title="Not connected">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>This account is not connected</h1>
        <p>{portal.disconnectedReason ?? "HubSpot no longer lets Sequence Enroller work in this account."}</p>
        <p>
          Contacts in your workflows are not enrolled until account {portal.portalId.toString()} is connected
          again. Your settings are kept.
        </p>
        <Parked backlog={backlog} format={format} />
        <form method="post" action="/settings/sign-out" class="actions">
          <input type="hidden" name="form_token" value={formToken} />
          <a class="button primary" href={`/oauth/install?portalId=${portal.portalId}`}>
            Connect again
          </a>
          <button class="button">Sign out</button>
        </form>
      </main>
    </Page>
  );
}

/** Contacts accepted before the connection ended, which only a new one can help. */
function Parked({ backlog, format }: Pick<ReconnectModel, "backlog" | "format">) {
  const { undecided, firstDeadlineAt, isPartial } = backlog;
  if (firstDeadlineAt === null) return null;
  return (
    <p class="notice wait">
      <strong>
        Contacts waiting: {format.count(undecided)}
        {isPartial ? "+" : ""}.
      </strong>{" "}
      Connect again before <Time date={firstDeadlineAt} format={format} /> ({format.timeZone}), and all of
      them are enrolled. From then on, those who have waited too long go on in their workflows without being
      enrolled.
    </p>
  );
}

/** A form came without this session's token: an old tab, or another site's doing. */
export function FormRefusedPage({ requestId }: { requestId: string }) {
  return (
    <MessagePage
      title="This form is out of date"
      paragraphs={[
        "Nothing was changed. The page was open since before you last signed in, or the form did not come from it.",
      ]}
      links={[{ href: "/settings", label: "Open settings" }]}
      requestId={requestId}
    />
  );
}

/** Nobody could be asked for a day who the admins are, so nobody changes anything before HubSpot has said so. */
export function AdminsUnconfirmedPage({ requestId }: { requestId: string }) {
  return (
    <MessagePage
      title="Try again in a minute"
      paragraphs={[
        "Nothing was changed. HubSpot has not told us for more than a day who the admins of this account are, so we are asking it now.",
        "Go back, and send the form again in a minute. If this stays so, HubSpot is not answering.",
      ]}
      links={[{ href: "/settings", label: "Open settings" }]}
      requestId={requestId}
    />
  );
}
