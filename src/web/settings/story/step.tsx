import type { ComponentChildren } from "preact";
import type { Format } from "../words/format.js";

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
  return (
    <li>
      <h3>{title}</h3>
      {at == null ? null : (
        <p class="when">
          <time dateTime={at.toISOString()}>{format.dateTimeSeconds(at)}</time>
        </p>
      )}
      {children}
    </li>
  );
}

/** Names and values, as a list. */
export function Entries({ entries }: { entries: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </>
      ))}
    </dl>
  );
}
