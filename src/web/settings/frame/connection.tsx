import type { ConnectionHealth, AppScopes } from "#domain/accounts/connection-health.js";
import type { DirectoryReport, NamedReader, ReaderResult } from "#domain/directory/report.js";
import type { HubSpotTrouble } from "#domain/accounts/hubspot-trouble.js";
import { numbered, type Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { RECONNECT_PATH } from "../words/paths.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { shorten } from "#platform/text/shorten.js";

export type ConnectionReport = Omit<DirectoryReport, "readers"> & {
  readonly readers: readonly NamedReader[];
};

export function Connection({
  portal,
  format,
  scopes,
  health,
  trouble,
  report,
}: {
  portal: PortalOverview;
  format: Format;
  scopes: AppScopes;
  health: ConnectionHealth;
  /** Set while this portal's calls keep failing. */
  trouble: HubSpotTrouble | undefined;
  /** Undefined: no copy of the directory was made yet. */
  report: ConnectionReport | undefined;
}) {
  const isMissing = scopes.required.some((scope) => !portal.scopes.includes(scope));
  const needsLook = isMissing || portal.directoryError !== null || health.tokenEndsAt === null;
  return (
    <section class="card" aria-labelledby="connection-title">
      <div class="card-head">
        <h2 id="connection-title">Connection</h2>
        <span class="badge enrolled">Connected</span>
      </div>
      <p>{answersOf(trouble)}</p>
      <details open={needsLook}>
        <summary>Details</summary>
        <dl class="facts">
          <dt>Account</dt>
          <dd>
            {portal.portalId.toString()}
            {portal.hubDomain ? ` · ${portal.hubDomain}` : ""}
          </dd>
          <dt>Connected since</dt>
          <dd>
            <Time date={portal.connectedSince} format={format} />
            {portal.connectedBy ? ` by ${portal.connectedBy}` : ""}
          </dd>
          <dt>Sync</dt>
          <dd>
            <Directory portal={portal} format={format} />
            {report === undefined ? null : <LeftOut report={report} />}
          </dd>
          {report === undefined ? null : (
            <>
              <dt>Sequences read as</dt>
              <dd>
                <Readers report={report} />
              </dd>
            </>
          )}
          <dt>Authorization</dt>
          <dd>
            <Token health={health} format={format} />
          </dd>
          <dt>HubSpot API</dt>
          <dd>
            {answersOf(trouble)} <Budget health={health} />
          </dd>
          <dt>Permissions</dt>
          <dd>
            <Permissions portal={portal} scopes={scopes} />
          </dd>
        </dl>
      </details>
    </section>
  );
}

function answersOf(trouble: HubSpotTrouble | undefined): string {
  if (trouble === undefined) return "OK.";
  return trouble.ownCause === null ? "HubSpot isn't responding." : "Paused: see above.";
}

/** Less than a day away: how long ago, with the exact time on hover. The page's script keeps that true. */
export function Time({ date, format }: { date: Date; format: Format }) {
  const exact = format.dateTime(date);
  const relative = format.relative(date);
  if (relative === undefined) return <time dateTime={date.toISOString()}>{exact}</time>;
  return (
    <time dateTime={date.toISOString()} title={exact} data-relative>
      {relative}
    </time>
  );
}

function Token({ health: { tokenEndsAt }, format }: { health: ConnectionHealth; format: Format }) {
  if (tokenEndsAt === null) return <span class="warning">No access token. Reconnect the account.</span>;
  return (
    <>
      Token expires <Time date={tokenEndsAt} format={format} />
      <span class="note">Renews automatically.</span>
    </>
  );
}

/** HubSpot counts requests in a rolling window of ten seconds (docs/hubspot.md §6). */
function Budget({ health }: { health: ConnectionHealth }) {
  const { isDraining, requestsCounted, decidedLately, requestAllowance } = health;
  if (requestsCounted === null) {
    return (
      <>
        Enrolling now: {numbered(decidedLately, "contact")} in the last 10 seconds
        {requestAllowance === null ? "" : `, at most ${numbered(requestAllowance, "request")} in that time`}.
      </>
    );
  }
  return (
    <>
      {isDraining ? "Enrolling now: " : null}
      {requestAllowance === null
        ? numbered(requestsCounted, "request")
        : `${requestsCounted} of ${numbered(requestAllowance, "request")}`}{" "}
      in the last 10 seconds.
    </>
  );
}

function Directory({ portal, format }: { portal: PortalOverview; format: Format }) {
  const synced =
    portal.directorySyncedAt === null ? (
      "First sync in progress."
    ) : (
      <>
        Last sync with HubSpot: <Time date={portal.directorySyncedAt} format={format} />
      </>
    );
  if (portal.directoryError === null) return <>{synced}</>;
  return (
    <>
      {synced}
      <span class="warning">Some of it couldn't be read: {portal.directoryError}</span>
    </>
  );
}

const READER_WORDS: Readonly<Record<ReaderResult, string>> = {
  read: "",
  refused: "HubSpot rejected it",
  cut: "read in part",
  failed: "HubSpot didn't respond",
  spared: "not asked",
};

/** Who was asked for sequences, and with what result. */
function Readers({ report: { readers } }: { report: ConnectionReport }) {
  if (readers.length === 0) return <span class="warning">No active users found.</span>;
  const hasNone = readers.every(({ sequences }) => sequences === 0);
  return (
    <>
      <ul>
        {readers.map(({ userId, label, result, sequences, problem }) => (
          <li key={userId}>
            {shorten(label, LONGEST_LABEL)}:{" "}
            {result === "read" ? numbered(sequences, "sequence") : READER_WORDS[result]}
            {problem === undefined ? "" : ` (${shorten(problem, LONGEST_LABEL)})`}
          </li>
        ))}
      </ul>
      {hasNone ? (
        <span class="warning">
          None of them can see a sequence. Choose a user who can, under Account defaults.
        </span>
      ) : null}
    </>
  );
}

function LeftOut({ report: { leftOut } }: { report: ConnectionReport }) {
  const lists = Object.entries(leftOut);
  if (lists.length === 0) return null;
  const told = lists.map(([list, count]) => `${list.toLowerCase()}: ${numbered(count, "record")}`).join(", ");
  return <span class="warning">Skipped because we couldn't read them: {told}. Earlier data is kept.</span>;
}

function Permissions({ portal, scopes }: { portal: PortalOverview; scopes: AppScopes }) {
  const missing = scopes.required.filter((scope) => !portal.scopes.includes(scope));
  const withheld = scopes.optional.filter((scope) => !portal.scopes.includes(scope));
  return (
    <>
      {missing.length === 0 ? (
        "All required permissions granted."
      ) : (
        <span class="warning">
          Missing permissions: {missing.join(", ")}. <a href={RECONNECT_PATH}>Reconnect</a> to grant them.
        </span>
      )}
      {withheld.length === 0 ? null : <span class="note">Optional, not granted: {withheld.join(", ")}.</span>}
      <details>
        <summary>Granted ({portal.scopes.length})</summary>
        <ul>
          {portal.scopes.map((scope) => (
            <li key={scope}>
              <code>{scope}</code>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}
