/** Whether it is an IANA name this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The zone as `Intl` takes it; UTC where it is unknown or not one. */
export function knownZone(timeZone: string | null): string {
  return timeZone !== null && isTimeZone(timeZone) ? timeZone : "UTC";
}

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

/** "26 Nov 2026, 09:00 (Europe/Berlin)": for sentences that are stored, and read where the zone is not named. */
export function localTime(at: Date, timeZone: string | null): string {
  const zone = knownZone(timeZone);
  const format = new Intl.DateTimeFormat("en-GB", {
    ...DAY,
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
  });
  return `${format.format(at)} (${zone === "utc" ? "UTC" : zone.replaceAll("_", " ")})`;
}

/** "26 Nov 2026", by the zone's calendar. */
export function localDay(at: Date, timeZone: string | null): string {
  return new Intl.DateTimeFormat("en-GB", { ...DAY, timeZone: knownZone(timeZone) }).format(at);
}
