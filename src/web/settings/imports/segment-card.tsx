import type { Segment } from "#platform/hubspot/gateway.js";
import { SEGMENT_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { shorten } from "#platform/text/shorten.js";
import { PostForm } from "../frame/form.js";
import type { Frame } from "../frame/shell.js";
import { LONGEST_LABEL } from "../words/names.js";
import { IMPORTS_PATH, reconnectPath, SEGMENTS_PATH } from "../words/paths.js";

/** Segments that were looked for, or why there are none to show. */
export type FoundSegments = readonly Segment[] | "not-asked" | "not-permitted" | "unavailable";

export interface SegmentCardModel {
  readonly frame: Frame;
  /** As it was typed; undefined: nobody has looked yet. */
  readonly search: string | undefined;
  readonly segments: FoundSegments;
}

export function SegmentCard(model: SegmentCardModel) {
  return (
    <section class="card" id="segments" aria-labelledby="segments-title">
      <div class="card-head">
        <h2 id="segments-title">From a HubSpot segment</h2>
      </div>
      {model.segments === "not-permitted" ? <Permission /> : <Search {...model} />}
    </section>
  );
}

function Permission() {
  return (
    <>
      <p>
        To read a segment's members, Sequence Enroller needs one more permission in HubSpot, used only for
        this: <code>{SEGMENT_SCOPES.join(", ")}</code>.
      </p>
      <p class="actions">
        <a class="button" href={reconnectPath("segments")}>
          Grant permission in HubSpot
        </a>
      </p>
    </>
  );
}

function Search(model: SegmentCardModel) {
  return (
    <>
      <p>Imports the segment's current members. Contacts who join later aren't included.</p>
      <form method="get" action={`${IMPORTS_PATH}#segments`} class="search" role="search">
        <label for="segment">Segment name</label>
        <input type="search" id="segment" name="segment" value={model.search ?? ""} autocomplete="off" />
        <button class="button">Find segments</button>
      </form>
      <Found {...model} />
    </>
  );
}

function Found({ segments, search, frame }: SegmentCardModel) {
  if (segments === "not-asked" || segments === "not-permitted") return null;
  if (segments === "unavailable")
    return (
      <p class="notice wait" role="alert">
        We couldn't load segments from HubSpot. Try again in a minute.
      </p>
    );
  if (segments.length === 0)
    return (
      <p class="empty" role="status">
        {search === "" ? "This account has no contact segments." : "No contact segment matches this name."}
      </p>
    );
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Segment</th>
          <th scope="col">Contacts</th>
          <th scope="col">
            <span class="unseen">Import</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {segments.map((segment) => (
          <Row key={segment.id} segment={segment} frame={frame} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ segment, frame }: { segment: Segment; frame: Frame }) {
  const name = shorten(segment.name, LONGEST_LABEL);
  return (
    <tr>
      <th scope="row">
        <bdi class="clamp">{name}</bdi>
      </th>
      <td data-label="Contacts">
        <span class="count">{segment.size === undefined ? "–" : frame.format.count(segment.size)}</span>
      </td>
      <td data-label="">
        <PostForm action={SEGMENTS_PATH} formToken={frame.formToken}>
          <input type="hidden" name="segment_id" value={segment.id} />
          <button class="button quiet" aria-label={`Import ${name}`}>
            Import
          </button>
        </PostForm>
      </td>
    </tr>
  );
}
