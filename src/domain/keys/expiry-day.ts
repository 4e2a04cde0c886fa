/**
 * The moment at which a key with this last day expires: the end of that day, in UTC.
 *
 * @param day such as 2027-01-31
 * @returns undefined if there is no such day
 */
export function endOfExpiryDay(day: string): Date | undefined {
  const end = new Date(`${day}T23:59:59.999Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(end.getTime());
  return isDay && end.toISOString().startsWith(day) ? end : undefined;
}
