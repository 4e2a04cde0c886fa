import type { Policy } from "#domain/contract/policy.js";

interface NamedFallback extends Omit<Policy["fallback"], "rotationId"> {
  /** The rotation's name; null: there is none. */
  readonly rotation: string | null;
}

/** Who sends when the chosen sender cannot: “Rotation “Sales”, then wait for the next available sender”. */
export function fallbackInWords({ rotation, toDefaultSender, whenNobody }: NamedFallback): string {
  const steps = [
    rotation === null ? "" : `rotation “${rotation}”`,
    toDefaultSender ? "the default sender" : "",
    whenNobody === "wait" ? "wait for the next available sender" : "fail",
  ].filter((step) => step !== "");
  const text = steps.join(", then ");
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
