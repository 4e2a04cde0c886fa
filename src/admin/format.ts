/** Dates and numbers as people read them, in the portal's time zone. */
export interface Format {
  dateTime(date: Date): string;
  count(value: number): string;
  /** The zone times are shown in. */
  timeZone: string;
}

/** @param timeZone as HubSpot names it (an IANA name); UTC where it is unknown or not one. */
export function createFormat(timeZone: string | null): Format {
  const zone = timeZone !== null && isTimeZone(timeZone) ? timeZone : "UTC";
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
    timeZone: zone.replaceAll("_", " "),
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
