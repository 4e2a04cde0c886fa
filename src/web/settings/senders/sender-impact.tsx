import { ForAdmins } from "../session/view-only.js";
import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { SenderImpact } from "#domain/history/attention/sender-impact.js";
import type { SenderPlaces } from "#domain/policy/sender-places.js";
import { shorten } from "#platform/text/shorten.js";
import { UsedByNote } from "../frame/used-by.js";
import { addressOf } from "../words/addresses.js";
import { numbered, type Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { ACTIVITY_PATH, BULK_PATH, ROTATIONS_PATH } from "../words/paths.js";
import { DayBars } from "./day-bars.js";
import type { SenderItem } from "#domain/policy/sender-list.js";

/** Days that the impact covers. */
export const IMPACT_DAYS = 7;

export interface ImpactModel {
  item: SenderItem;
  impact: SenderImpact;
  places: SenderPlaces;
  /** Enrollments of the last days, the oldest first. */
  sentByDay: readonly number[];
  uses: FlowUses;
  format: Format;
}

/** What a sender's trouble does, where the sender is used, and how it went lately. */
export function ImpactCard(model: ImpactModel) {
  const { item, sentByDay } = model;
  return (
    <section class="card" aria-labelledby="impact-title">
      <h2 id="impact-title">Impact, last {IMPACT_DAYS} days</h2>
      <Affected {...model} />
      <h3>Used in</h3>
      <UsedIn {...model} />
      <h3>
        Enrollments, last {sentByDay.length} days; cap {model.format.count(item.dailyCap)} in 24 hours
      </h3>
      <DayBars counts={sentByDay} cap={item.dailyCap} format={model.format} />
    </section>
  );
}

function Affected({ item, impact: { notEnrolled, movedOn }, format }: ImpactModel) {
  const sender = String(item.userId);
  const since = `${IMPACT_DAYS}d`;
  const failed = { sender, status: "failed", kind: "ENROLL", decided: since, retries: "without" };
  return (
    <ul class="plain">
      <li>
        {notEnrolled === 0 ? (
          "No contact failed because of this sender."
        ) : (
          <>
            <a href={addressOf(ACTIVITY_PATH, failed)}>{numbered(notEnrolled, "contact")} not enrolled</a>
            <ForAdmins>
              {" · "}
              <a href={addressOf(BULK_PATH, { ...failed, action: "retry" })}>Retry them</a>
            </ForAdmins>
          </>
        )}
      </li>
      {movedOn === 0 ? null : (
        <li>
          <a href={addressOf(ACTIVITY_PATH, { skipped: sender, status: "enrolled", kind: "ENROLL", since })}>
            {format.count(movedOn)} moved to another sender
          </a>
        </li>
      )}
    </ul>
  );
}

function UsedIn({ item, places: { rotations, presets, isDefaultSender }, uses }: ImpactModel) {
  return (
    <>
      <ul class="plain">
        {isDefaultSender ? (
          <li>
            <a href="/settings/policy#default_sender">The account's default sender</a>
          </li>
        ) : null}
        {rotations.map(({ rotationId, name, weight, totalWeight }) => (
          <li key={rotationId}>
            Rotation{" "}
            <a href={`${ROTATIONS_PATH}/${rotationId}`}>
              <bdi>{shorten(name, LONGEST_LABEL)}</bdi>
            </a>{" "}
            ({Math.round((100 * weight) / Math.max(1, totalWeight))}%)
          </li>
        ))}
        {presets.map(({ presetId, name }) => (
          <li key={presetId}>
            Preset{" "}
            <a href={`/settings/presets/${presetId}`}>
              <bdi>{shorten(name, LONGEST_LABEL)}</bdi>
            </a>
          </li>
        ))}
        {!isDefaultSender && rotations.length + presets.length === 0 ? (
          <li>No rotation or preset. Contacts' owners send as well.</li>
        ) : null}
      </ul>
      <UsedByNote uses={uses} flows={uses.senders.get(String(item.userId))} />
    </>
  );
}
