import { ActivityFrame, type FrameModel } from "./frame.js";
import { ACTIVITY_PATH } from "../words/paths.js";

/** For an address that leads to nothing of this portal, whatever it may be elsewhere. */
export function MissingPage({ frame, what }: FrameModel & { what: "execution" | "bulk job" }) {
  return (
    <ActivityFrame title="Not found" frame={frame}>
      <h1>Not found</h1>
      <p>
        This account has no such {what}. It may have been deleted at the end of the time that history is kept.
      </p>
      <p class="actions">
        <a class="button primary" href={ACTIVITY_PATH}>
          To the activity
        </a>
      </p>
    </ActivityFrame>
  );
}
