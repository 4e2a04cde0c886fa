/**
 * A value by a name from outside, such as a contact property. Every object inherits names like `constructor`: those do
 * not count.
 */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
