import { addressWith, narrowingOf, type ActivityQuery } from "#domain/history/activity-query.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Crumb } from "../frame/shell.js";
import { describeQuery, type FilterNames } from "../words/activity-words.js";
import { numbered, type Format } from "../words/format.js";
import { ACTIVITY_PATH, storyPath } from "../words/paths.js";

/** Where a story stands in the list that it was opened from. */
export interface PlaceInList {
  readonly given: ActivityQuery["given"];
  readonly names: FilterNames;
  /** What the list holds; undefined: more than is counted. */
  readonly total: number | undefined;
  readonly newer: ExecutionId | undefined;
  readonly older: ExecutionId | undefined;
}

/** Back to the list with its filter. */
export function upTo(place: PlaceInList | undefined, format: Format): Crumb {
  if (place === undefined) return { href: ACTIVITY_PATH, label: "Activity" };
  const { given, names, total } = place;
  const narrowed = narrowingOf(given);
  const count = total === undefined ? "" : ` (${numbered(total, "result")})`;
  const told =
    Object.keys(narrowed).length === 0 ? "" : `: ${describeQuery(narrowed, format, names)}${count}`;
  return { href: addressWith(ACTIVITY_PATH, given), label: `Activity${told}` };
}

/** The neighbors in that list, newest first. */
export function Neighbors({ place }: { place: PlaceInList | undefined }) {
  if (place === undefined || (place.newer === undefined && place.older === undefined)) return null;
  const { given, newer, older } = place;
  return (
    <nav class="neighbors" aria-label="Contacts of the list">
      {newer === undefined ? null : (
        <a rel="prev" href={addressWith(storyPath(newer), given)}>
          Previous
        </a>
      )}
      {older === undefined ? null : (
        <a rel="next" href={addressWith(storyPath(older), given)}>
          Next
        </a>
      )}
    </nav>
  );
}
