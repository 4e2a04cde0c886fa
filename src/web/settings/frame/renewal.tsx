import { createHash } from "node:crypto";
import type { Format } from "../words/format.js";

/** Stands for what a part of a page shows: the same as long as nothing of it has changed. */
export function digestOf(shown: unknown): string {
  const text = JSON.stringify(shown, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

interface RenewalModel {
  /** When it was read. */
  now: Date;
  format: Format;
  /** Address of the page as it stands. */
  reload: string;
}

/**
 * The line of a part that renews itself: since when it stands so, whether it is being fetched, and that it could not be
 * (assets/live.js). Without script: how to see what is new.
 */
export function Renewal({ now, format, reload }: RenewalModel) {
  return (
    <>
      <p class="note renewal">
        Updated {format.time(now)}. <span class="auto">Refreshes automatically.</span>{" "}
        <span class="htmx-indicator" aria-hidden="true">
          Checking…
        </span>
        <noscript>
          <a href={reload}>Reload</a>
        </noscript>
      </p>
      <p class="notice wait" role="alert" data-stale hidden>
        This list may be out of date because the last refresh failed. We'll keep trying. If this message
        stays, <a href={reload}>reload the page</a>.
      </p>
    </>
  );
}
