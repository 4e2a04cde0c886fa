import type { ComponentChildren } from "preact";
import { SitePage, type Crumb, type Frame } from "../frame/shell.js";
import { ACTIVITY_PATH } from "../words/paths.js";

export interface FrameModel {
  readonly frame: Frame;
}

/** What every page of the activity shares. */
export function ActivityFrame({
  title,
  frame,
  up,
  children,
}: FrameModel & { title: string; up?: Crumb; children: ComponentChildren }) {
  return (
    <SitePage
      title={title}
      current="/settings/activity"
      frame={frame}
      hasOwnHeading
      {...(up === undefined ? {} : { up })}
    >
      {children}
    </SitePage>
  );
}

/** For an address that leads to nothing of this portal, whatever it may be elsewhere. */
export function MissingPage({ frame, what }: FrameModel & { what: "record" | "bulk action" }) {
  return (
    <ActivityFrame title="Not found" frame={frame}>
      <h1>Not found</h1>
      <p>We don't have this {what}. It may be older than your history limit.</p>
      <p class="actions">
        <a class="button primary" href={ACTIVITY_PATH}>
          Back to activity
        </a>
      </p>
    </ActivityFrame>
  );
}
