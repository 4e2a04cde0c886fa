/** The texts of a submitted form, or of an address's query. A field that is missing is an empty one. */
export interface FormFields {
  /** As they came: a name that comes more than once has a list. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Trimmed, without what PostgreSQL cannot hold; the first if a name comes more than once. */
  text(name: string): string;
  /** All texts of a name that comes more than once. */
  texts(name: string): string[];
  has(name: string): boolean;
  /** The version a form (or what one field of it names) was filled in from; -1, which nothing has, if it is missing or mangled. */
  version(field?: string): number;
}

/** @param source the `body` or the `query` of a request; undefined if no form was sent. */
export function readFields(source: unknown): FormFields {
  const given = (source ?? {}) as Record<string, unknown>;
  const fields = new Map(Object.entries(given));
  const texts = (name: string): string[] => {
    const value = fields.get(name);
    const all: unknown[] = Array.isArray(value) ? value : [value];
    return all.filter((text) => typeof text === "string").map((text) => text.replaceAll("\0", "").trim());
  };
  const text = (name: string): string => texts(name)[0] ?? "";
  return {
    given,
    text,
    texts,
    has: (name) => fields.has(name),
    version: (field = "version") => (/^\d{1,9}$/.test(text(field)) ? Number(text(field)) : -1),
  };
}

/** An id as it stands in addresses and forms; undefined if it is not one. */
export function readId(text: unknown): bigint | undefined {
  return typeof text === "string" && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}
