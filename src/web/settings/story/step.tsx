import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Format } from "../words/format.js";

/** When the story began; steps that say when they were say how long after, too. */
export const Began = createContext<Date | undefined>(undefined);

/** One thing that happened, or is under way. */
export function Step({
  title,
  at,
  format,
  children,
}: {
  title: string;
  at?: Date | null;
  format: Format;
  children?: ComponentChildren;
}) {
  const began = useContext(Began);
  const afterMs = at == null || began === undefined ? 0 : at.getTime() - began.getTime();
  return (
    <li>
      <h3>{title}</h3>
      {at == null ? null : (
        <p class="when">
          <time dateTime={at.toISOString()}>{format.dateTimeSeconds(at)}</time>
          {afterMs < 1_000 ? "" : ` · ${format.span(afterMs)} after it came in`}
        </p>
      )}
      {children}
    </li>
  );
}

/** Names and values, as a list; with script, each value can be copied if that is wanted. */
export function Entries({
  entries,
  canBeCopied = false,
}: {
  entries: readonly (readonly [string, string])[];
  canBeCopied?: boolean;
}) {
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
            {canBeCopied && value !== "–" ? (
              <button type="button" class="copy" data-copy={value} aria-label={`Copy ${name}`} hidden>
                Copy
              </button>
            ) : null}
          </dd>
        </>
      ))}
    </dl>
  );
}
