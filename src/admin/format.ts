/** Dates and numbers as people read them, in the portal's time zone. */
export interface Format {
  dateTime(date: Date): string;
  count(value: number): string;
  /** "less than a minute", "4 minutes", "3 hours", "2 days": always rounded down. */
  duration(milliseconds: number): string;
  /** The zone times are shown in. */
  timeZone: string;
}

/** @param timeZone as HubSpot names it (an IANA name); UTC where it is unknown or not one. */
export function createFormat(timeZone: string | null): Format {
  const zone = knownZone(timeZone);
  const dateTime = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  const count = new Intl.NumberFormat("en-US");
  return {
    dateTime: (date) => dateTime.format(date),
    count: (value) => count.format(value),
    duration: describeDuration,
    timeZone: zone.replaceAll("_", " "),
  };
}

/** The zone as `Intl` takes it; UTC where it is unknown or not one. */
export function knownZone(timeZone: string | null): string {
  return timeZone !== null && isTimeZone(timeZone) ? timeZone : "UTC";
}

/** Names from outside can be of any length; whole on the execution's own page, shortened in lists. */
export function shorten(text: string, longest: number): string {
  // A character takes two units at most: what is left out of the slice is past the end of what is shown.
  const characters = [...text.slice(0, 2 * longest + 2)];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join("")}…`;
}

function describeDuration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return numbered(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? numbered(hours, "hour") : numbered(Math.floor(hours / 24), "day");
}

/** The text, or its beginning where it has more characters than fit. */
export function shorten(text: string, mostCharacters: number): string {
  const characters = [...text];
  return characters.length <= mostCharacters ? text : `${characters.slice(0, mostCharacters - 1).join("")}…`;
}

/** "1 contact", "2 contacts". */
export function numbered(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** Whether it is an IANA name this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
