import { MessagePage, Page } from "#web/kit/page.js";
import type { Backlog } from "#domain/accounts/backlog.js";
import type { Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { RECONNECT_PATH } from "../words/paths.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import type { AccountMember } from "#domain/accounts/rights.js";
import { Time } from "../frame/connection.js";
import { ACCOUNTS_PATH } from "../frame/navigation.js";
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
          Sequence Enroller adds actions to your HubSpot workflows. Each contact is enrolled once, in the
          sequence you choose, from the right sender's inbox. Here you can see what happened to every contact,
          and why.
        </p>
        <p class="actions">
          <a class="button primary" href="/settings/sign-in">
            Sign in with HubSpot
          </a>
        </p>
        <p>
          New here? <a href="/oauth/install">Install Sequence Enroller in HubSpot</a>
        </p>
        <p class="note">
          For super admins and users they've given access. You also need permission to manage apps in HubSpot.
          We receive your email address and account ID, never your password.
        </p>
      </main>
    </Page>
  );
}

export interface NotAdmittedModel {
  portal: PortalOverview;
  email: string | null;
  /** Who can let them in, by name. */
  administrators: readonly AccountMember[];
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
        <h1>You don't have access</h1>
        <p>
          You're signed in to account {portal.portalId.toString()}
          {email === null ? "" : ` as ${email}`}. Only super admins and users they've given access can open
          these settings.
        </p>
        {portal.isConnected ? null : (
          <p class="notice wait">
            This account is disconnected, so contacts in its workflows aren't enrolled. Only an admin can
            reconnect it.
          </p>
        )}
        {administrators.length === 0 ? (
          <p>Ask a super admin to reinstall the app and give you access.</p>
        ) : (
          <>
            <p>Ask one of these admins to add you under Users and access:</p>
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
        <WaysOut formToken={formToken} href="/settings" label="Try again" />
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
    <Page title="Disconnected">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>This account is disconnected</h1>
        <p>
          {portal.disconnectedReason ?? "HubSpot no longer allows Sequence Enroller to access this account."}
        </p>
        <p>
          Contacts won't be enrolled until you reconnect account {portal.portalId.toString()}. Your settings
          are saved.
        </p>
        <Parked backlog={backlog} format={format} />
        <WaysOut formToken={formToken} href={RECONNECT_PATH} label="Reconnect" />
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
      Reconnect before <Time date={firstDeadlineAt} format={format} /> ({format.timeZone}) to enroll all of
      them. After that, contacts that have waited too long continue in their workflows without being enrolled.
    </p>
  );
}

interface WaysOutModel {
  formToken: string;
  /** Of the first way, which is what most will want. */
  href: string;
  label: string;
}

/** What somebody can do who gets no further here. */
function WaysOut({ formToken, href, label }: WaysOutModel) {
  return (
    <form method="post" action="/settings/sign-out" class="actions">
      <input type="hidden" name="form_token" value={formToken} />
      <a class="button primary" href={href}>
        {label}
      </a>
      <a class="button" href={ACCOUNTS_PATH}>
        Switch account
      </a>
      <button class="button">Sign out</button>
    </form>
  );
}

interface RefusedFormModel {
  title: string;
  /** Why, and what to do. */
  paragraphs: readonly [why: string, ...string[]];
  requestId: string;
}

/** A form that is not accepted. */
function RefusedForm({ paragraphs: [why, ...rest], ...page }: RefusedFormModel) {
  const links = [{ href: "/settings", label: "Open settings" }];
  return <MessagePage {...page} paragraphs={[`Nothing was changed. ${why}`, ...rest]} links={links} />;
}

/** A form came without this session's token: an old tab, or another site's doing. */
export function FormRefusedPage({ requestId }: { requestId: string }) {
  return (
    <RefusedForm
      title="This form has expired"
      paragraphs={[
        "You signed in again or switched to another account since you opened the page.",
        "Reload the page and try again.",
      ]}
      requestId={requestId}
    />
  );
}

/** A viewer sent a form that a page does not offer them. */
export function ViewersOnlyLookPage({ requestId }: { requestId: string }) {
  return (
    <RefusedForm
      title="You have view-only access"
      paragraphs={["Ask an admin of this account to change it, or to make you an admin."]}
      requestId={requestId}
    />
  );
}

/** Nobody could be asked for a day who the admins are, so nobody changes anything before HubSpot has said so. */
export function AdminsUnconfirmedPage({ requestId }: { requestId: string }) {
  return (
    <RefusedForm
      title="Try again in a minute"
      paragraphs={[
        "We haven't been able to check who the admins of this account are for more than a day, so we're checking now.",
        "Go back and submit the form again in a minute. If this keeps happening, HubSpot isn't responding.",
      ]}
      requestId={requestId}
    />
  );
}
