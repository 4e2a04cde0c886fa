import { numbered, type Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { sendersHref } from "../senders/senders-address.js";
import { activityAddress } from "../words/activity-address.js";
import { isNearCap, type SenderLoad, type SenderLoads } from "#domain/accounts/sender-load.js";
import { shorten } from "#platform/text/shorten.js";

interface SenderLoadModel {
  loads: SenderLoads;
  /** Senders whom HubSpot refused, or who are at its limit. */
  troubledCount: number;
  format: Format;
}

export function SenderLoadCard({ loads, troubledCount, format }: SenderLoadModel) {
  const { nearest, since } = loads;
  return (
    <section class="card" aria-labelledby="load-title">
      <div class="card-head">
        <h2 id="load-title">Daily caps</h2>
        <span class="note">Last 24 hours</span>
      </div>
      {troubledCount === 0 ? null : (
        <p class="notice bad">
          <a href={sendersHref({ search: "", onlyTroubled: true, sort: "name", page: 1 })}>
            {numbered(troubledCount, "sender")} can't send
          </a>
          .
        </p>
      )}
      {nearest.length === 0 ? (
        <p class="empty">No enrollments in the last 24 hours.</p>
      ) : (
        <>
          <p>{capWords(loads)}</p>
          <ul class="loads">
            {nearest.map((load) => (
              <Load key={String(load.userId)} load={load} since={since} format={format} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function capWords({ nearCount, fullCount }: SenderLoads): string {
  const near = nearCount - fullCount;
  const full = fullCount === 1 ? "1 sender at the cap" : `${numbered(fullCount, "sender")} at their cap`;
  if (fullCount === 0)
    return near === 0 ? "No sender is near the cap." : `${numbered(near, "sender")} near the cap.`;
  return near === 0 ? `${full}.` : `${full}, ${near} near it.`;
}

function Load({ load, since, format }: { load: SenderLoad; since: Date; format: Format }) {
  const { userId, label, sent, cap } = load;
  const share = Math.min(1, sent / Math.max(1, cap));
  const tone = sent >= cap ? "failed" : isNearCap(load) ? "waiting" : "enrolled";
  const query = { sender: userId.toString(), status: "enrolled", enrolled: since.toISOString() };
  return (
    <li>
      <a href={activityAddress(query)}>
        <bdi>{shorten(label, LONGEST_LABEL)}</bdi>
      </a>
      <span class="note">
        {format.count(sent)} of {format.count(cap)}
        {sent >= cap ? " · at cap" : ""}
      </span>
      <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect class={tone} width={Math.round(share * 100)} height="6" />
      </svg>
    </li>
  );
}
