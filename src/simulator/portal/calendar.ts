/** The calendar days of a portal. */
export class PortalCalendar {
  readonly #format: Intl.DateTimeFormat;
  /** Formatting a date costs more than the rest of an enrollment, so one result serves for its minute. */
  #latest = { minute: -1, day: "" };

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("sv-SE", { timeZone });
  }

  /** `YYYY-MM-DD` */
  dayAt(atMs: number): string {
    const minute = Math.floor(atMs / 60_000);
    if (this.#latest.minute !== minute) this.#latest = { minute, day: this.#format.format(atMs) };
    return this.#latest.day;
  }
}
