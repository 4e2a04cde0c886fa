import type { Backlog } from "#domain/accounts/backlog.js";
import type { Format } from "../words/format.js";
import type { HubSpotTrouble } from "#domain/accounts/hubspot-trouble.js";
import { Time } from "../frame/connection.js";
import { RECONNECT_PATH } from "../words/paths.js";
import { isMendedByNewGrant, ownFaultWords } from "../words/own-fault-words.js";

export interface TroubleModel {
  trouble: HubSpotTrouble | undefined;
  backlog: Backlog;
  format: Format;
  now: Date;
}

/**
 * Always on the page, mostly empty: so what comes later is announced, and a refresh of the list can bring it along
 * (`isUpdate`, for htmx to put it in its place).
 */
export function Trouble({ isUpdate = false, ...model }: TroubleModel & { isUpdate?: boolean }) {
  const { trouble } = model;
  return (
    <div id="hubspot-trouble" role="status" {...(isUpdate ? { "hx-swap-oob": "true" } : {})}>
      {trouble === undefined ? null : <Words {...model} trouble={trouble} />}
    </div>
  );
}

function Words({ trouble, backlog, format, now }: TroubleModel & { trouble: HubSpotTrouble }) {
  if (trouble.ownCause !== null) return <OwnFault trouble={trouble} held={heldOf(backlog)} format={format} />;
  const { since, lastFailure } = trouble;
  const { isPartial } = backlog;
  const held = heldOf(backlog);
  return (
    <div class="notice wait">
      <p>
        <strong>HubSpot isn't responding.</strong> Requests have failed since{" "}
        <Time date={since} format={format} />.{" "}
        <NextTry trouble={trouble} format={format} now={now} held={held} />
      </p>
      <p>
        {held === 0
          ? "No contacts are waiting."
          : `Contacts waiting: ${format.count(held)}${isPartial ? "+" : ""}. No contacts are lost. They'll be enrolled when HubSpot responds.`}
      </p>
      {lastFailure === null ? null : <p class="quote">Last failure: {lastFailure}</p>}
    </div>
  );
}

const heldOf = ({ undecided, unreported }: Backlog): number => undecided + unreported;

function OwnFault({ trouble, held, format }: { trouble: HubSpotTrouble; held: number; format: Format }) {
  const { since, ownCause } = trouble;
  const cause = ownCause ?? "";
  return (
    <div class="notice wait">
      <p>
        <strong>Sequence Enroller has a problem.</strong> {ownFaultWords(cause)} Since{" "}
        <Time date={since} format={format} />.
      </p>
      <p>
        {held === 0 ? "No contacts are waiting." : `Contacts waiting: ${format.count(held)}. `}
        {held === 0 ? null : "No contacts are lost. They'll be enrolled when it is fixed."}{" "}
        {isMendedByNewGrant(cause) ? <a href={RECONNECT_PATH}>Reconnect</a> : null}
      </p>
      <p class="quote">
        For support: <code>{cause}</code>
      </p>
    </div>
  );
}

interface NextTryModel {
  trouble: HubSpotTrouble;
  format: Format;
  now: Date;
  held: number;
}

/** A pause of seconds is not worth a time that is over once it is read. */
function NextTry({ trouble: { pausedUntil }, format, now, held }: NextTryModel) {
  const leftMs = pausedUntil.getTime() - now.getTime();
  if (leftMs > 60_000) {
    return (
      <>
        Next try: <Time date={pausedUntil} format={format} />.
      </>
    );
  }
  if (leftMs > 0) return <>We'll retry within a minute.</>;
  if (held > 0) return <>Retrying now.</>;
  return <>We'll retry with the next contact.</>;
}
