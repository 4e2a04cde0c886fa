import type { Change } from "./changes.js";

/** Values that differ, side by side. */
export function ChangeTable({
  changes,
  heads: [left, right],
}: {
  changes: readonly Change[];
  heads: readonly [string, string];
}) {
  return (
    <table class="changes">
      <thead>
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">{left}</th>
          <th scope="col">{right}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ label, before, after }) => (
          <tr key={label}>
            <td data-label="Setting">
              <span>{label}</span>
            </td>
            <td data-label={left}>
              <bdi>{before}</bdi>
            </td>
            <td data-label={right}>
              <bdi>{after}</bdi>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Above what another admin changed between the page that was shown and the press of its Delete. */
export function ChangedBeforeDelete({ isShown }: { isShown: boolean }) {
  if (!isShown) return null;
  return (
    <p class="notice bad conflict" role="alert">
      <strong>Another admin changed this, so it wasn't deleted.</strong> Check the current version below, then
      delete again if you still want to.
    </p>
  );
}

/** Above a form that was filled in from a state another admin has replaced. What was typed stands in the form below. */
export function Conflict({ changes }: { changes: readonly Change[] | undefined }) {
  if (changes === undefined) return null;
  return (
    <div class="notice bad conflict" role="alert">
      <p>
        <strong>Another admin saved changes while you were editing, so yours weren't saved.</strong>{" "}
        {changes.length === 0
          ? "Their version is the same as yours."
          : "Your version is below. Save to replace theirs, or reload the page to keep theirs."}
      </p>
      {changes.length === 0 ? null : (
        <ChangeTable changes={changes} heads={["Their version", "Your version"]} />
      )}
    </div>
  );
}
