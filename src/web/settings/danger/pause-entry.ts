import { DateTime } from "luxon";
import type { PauseTerms } from "#domain/accounts/portal-pause.js";
import { shorten } from "#platform/text/shorten.js";
import type { FormFields } from "#web/kit/form-fields.js";
import { LONGEST_PAUSE_REASON, PAUSE_ENDS, type PauseEnd } from "../frame/pause-menu.js";
import { knownZone } from "../words/format.js";

const MORNING = { hour: 8, minute: 0, second: 0, millisecond: 0 };

/** What the form of a pause says; mornings are those of the account's zone. */
export function readPauseTerms(
  form: Pick<FormFields, "text">,
  { now, timeZone }: { now: Date; timeZone: string | null },
): PauseTerms {
  const reason = shorten(form.text("reason"), LONGEST_PAUSE_REASON);
  const end = form.text("end");
  const local = DateTime.fromJSDate(now, { zone: knownZone(timeZone) });
  const until = isPauseEnd(end) ? END_OF[end](local) : null;
  return { until: until && until.toJSDate(), reason: reason === "" ? null : reason };
}

const isPauseEnd = (text: string): text is PauseEnd => Object.hasOwn(PAUSE_ENDS, text);

const END_OF: Readonly<Record<PauseEnd, (now: DateTime) => DateTime | null>> = {
  "": () => null,
  hour: (now) => now.plus({ hours: 1 }),
  morning: (now) => now.plus({ days: 1 }).set(MORNING),
  monday: (now) => now.plus({ days: 8 - now.weekday }).set(MORNING),
};
