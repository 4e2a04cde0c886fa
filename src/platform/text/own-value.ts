/**
 * A value by a name that somebody outside chose, such as a contact property. Names like `constructor` are found in every
 * object, as what it inherits: those are nobody's values.
 */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
