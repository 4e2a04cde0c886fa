import type { Cause } from "#domain/history/attention/causes.js";
import { RANGES, type OutcomeHistory } from "#domain/history/outcome-history.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { CopyInboxMessage } from "../senders/inbox-message.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { FallbackLink, FixLink, type FixPlaces } from "../words/fixes.js";
import { numbered, type Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { BULK_PATH, helpPath } from "../words/paths.js";
import { Snooze, causeTitle } from "./snooze.js";
import { decidedAddress } from "../words/activity-address.js";

/** Causes shown before the rest is folded away. */
const SHOWN = 6;

export interface AttentionModel {
  causes: readonly Cause[];
  history: Pick<OutcomeHistory, "range" | "since">;
  places: FixPlaces;
  format: Format;
  formToken: string;
}

/** What keeps contacts from being enrolled, by what has to be mended; below it, what is meant to be so. */
export function AttentionCard(model: AttentionModel) {
  const { causes, history } = model;
  const fixable = causes.filter(({ isExpected, snoozedUntil }) => !isExpected && snoozedUntil === null);
  const snoozed = causes.filter(({ isExpected, snoozedUntil }) => !isExpected && snoozedUntil !== null);
  const expected = causes.filter(({ isExpected }) => isExpected);
  return (
    <section class="card" aria-labelledby="attention-title">
      <div class="card-head">
        <h2 id="attention-title">Needs attention</h2>
        <span class="note">Last {RANGES[history.range].label}</span>
      </div>
      {fixable.length === 0 ? <p class="empty">Nothing needs attention.</p> : null}
      <CauseList {...model} causes={fixable.slice(0, SHOWN)} />
      {fixable.length <= SHOWN ? null : (
        <details>
          <summary>{numbered(fixable.length - SHOWN, "more cause")}</summary>
          <CauseList {...model} causes={fixable.slice(SHOWN)} />
        </details>
      )}
      {snoozed.length === 0 ? null : (
        <details id="snoozed">
          <summary>Snoozed: {numbered(snoozed.length, "cause")}</summary>
          <CauseList {...model} causes={snoozed} />
        </details>
      )}
      {expected.length === 0 ? null : (
        <details>
          <summary>
            No action needed:{" "}
            {numbered(
              expected.reduce((sum, { contacts }) => sum + contacts, 0),
              "contact",
            )}
          </summary>
          <CauseList {...model} causes={expected} />
        </details>
      )}
    </section>
  );
}

function CauseList(model: AttentionModel) {
  if (model.causes.length === 0) return null;
  return (
    <ul class="causes">
      {model.causes.map((cause) => (
        <CauseRow key={`${cause.storedCode} ${cause.subject?.id ?? ""}`} cause={cause} {...model} />
      ))}
    </ul>
  );
}

function CauseRow({ cause, history, places, format, formToken }: AttentionModel & { cause: Cause }) {
  const { storedCode, subject, contacts, retried, lastAt, trend, isMended, preset } = cause;
  const about = subject?.kind === "sender" ? { sender: subject.id } : {};
  const list = { code: storedCode, ...about };
  const sender =
    subject?.kind === "sender" ? { senderUserId: subject.id, senderName: subject.name ?? "the sender" } : {};
  return (
    <li>
      <p class="cause">
        <CauseTitle cause={cause} />
      </p>
      <p class="note">
        <a
          href={decidedAddress(history.since, list)}
          aria-label={`${numbered(contacts, "contact")}: ${causeTitle(cause)}`}
        >
          {numbered(contacts, "contact")}
        </a>
        {retried === 0 ? "" : `, ${retried} of them retried since`} · last seen{" "}
        <Time date={lastAt} format={format} /> <Trend counts={trend} />
      </p>
      {isMended ? (
        <p class="mended">
          <span class="badge enrolled">Fixed</span>{" "}
          <a href={retryAddress(history.since, list)}>Retry {numbered(contacts - retried, "contact")}</a>
        </p>
      ) : (
        <div class="cause-links">
          <FixLink code={storedCode} places={{ ...places, ...sender, preset }} />{" "}
          <FallbackLink code={storedCode} preset={preset} />{" "}
          {cause.code === null ? null : <a href={helpPath(cause.code)}>Learn more</a>}
          {storedCode === "INBOX_NOT_CONNECTED" && subject?.name != null ? (
            <CopyInboxMessage
              name={subject.name}
              account={`${places.hubspotUrl}/settings/${places.portalId}`}
            />
          ) : null}
          {cause.isExpected ? null : <Snooze cause={cause} format={format} formToken={formToken} />}
        </div>
      )}
      {isMended && cause.snoozedUntil !== null ? (
        <Snooze cause={cause} format={format} formToken={formToken} />
      ) : null}
    </li>
  );
}

/** A sender's cause leads to the sender: there stand what it affects and what helps. */
function CauseTitle({ cause: { code, storedCode, subject } }: { cause: Cause }) {
  const what = code === null ? storedCode : CODE_WORDS[code];
  const name = shorten(subject?.name ?? subject?.id ?? "", LONGEST_LABEL);
  if (subject?.kind === "sender")
    return (
      <a href={`/settings/senders/${subject.id}`}>
        <bdi>{name}</bdi>: {what.slice(0, 1).toLowerCase()}
        {what.slice(1)}
      </a>
    );
  if (subject === null) return <strong>{what}</strong>;
  if (subject.kind === "rule")
    return (
      <strong>
        <bdi>{name}</bdi>
      </strong>
    );
  return (
    <strong>
      {what}: <bdi>{name}</bdi>
    </strong>
  );
}

/** The question before all of them are tried again. */
function retryAddress(since: Date, list: Readonly<Record<string, string>>): string {
  const query = { ...list, kind: "ENROLL", decided: since.toISOString(), retries: "without" };
  return `${BULK_PATH}?${new URLSearchParams({ ...query, action: "retry" })}`;
}

const BAR = { width: 6, gap: 2, height: 14 } as const;

/** Small enough to stand in a line; says nothing that the number beside it does not. */
function Trend({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const width = counts.length * (BAR.width + BAR.gap);
  return (
    <svg class="trend" width={width} height={BAR.height} aria-hidden="true">
      {counts.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, Math.round((BAR.height * count) / most));
        return (
          <rect
            key={index}
            x={index * (BAR.width + BAR.gap)}
            y={BAR.height - height}
            width={BAR.width}
            height={height}
          />
        );
      })}
    </svg>
  );
}
