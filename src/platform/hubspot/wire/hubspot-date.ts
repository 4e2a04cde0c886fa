import { DAY_MS } from "#platform/time/units.js";

const EARLIEST_MS = Date.UTC(2000, 0, 1);
const LATEST_MS = Date.UTC(9999, 11, 31);

const DIGITS = /^-?\d+(?:\.\d+)?$/;
/** A date, or a date with a time and, if HubSpot names it, an offset. */
const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

const isPlausible = (ms: number): boolean => ms >= EARLIEST_MS && ms <= LATEST_MS;

/** A number that would be a day of 1970 as milliseconds is read as seconds. */
function fromEpoch(figure: number): number {
  return isPlausible(figure) ? figure : figure * 1_000;
}

function toMs(value: unknown): number {
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return Number.NaN;
  const text = value.trim();
  if (DIGITS.test(text)) return fromEpoch(Number(text));
  const [, day, time, offset = "Z"] = ISO_8601.exec(text) ?? [];
  return Date.parse(time === undefined ? (day ?? "") : `${day}T${time}${offset}`);
}

/**
 * An instant as HubSpot writes it, depending on the endpoint: in ISO 8601, or as milliseconds or seconds since 1970, as
 * a number or in digits. Every date from HubSpot is read here.
 *
 * @param now the time by HubSpot's clock or ours: nothing has happened more than a day after it. Undefined: not known.
 * @returns undefined if there is none, or if it is impossible: whatever is computed from it would be wrong forever.
 */
export function readHubSpotDate(value: unknown, now?: Date): Date | undefined {
  const ms = toMs(value);
  if (!isPlausible(ms)) return undefined;
  return now !== undefined && ms > now.getTime() + DAY_MS ? undefined : new Date(ms);
}
