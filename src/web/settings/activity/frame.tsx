import type { ComponentChildren } from "preact";
import { Time } from "../frame/connection.js";
import { SitePage, type Frame } from "../frame/shell.js";
import type { Format } from "../words/format.js";

export interface FrameModel {
  readonly frame: Frame;
}

/** What every page of the activity shares. */
export function ActivityFrame({
  title,
  frame,
  children,
}: FrameModel & { title: string; children: ComponentChildren }) {
  return (
    <SitePage title={title} current="/settings/activity" frame={frame} hasOwnHeading>
      {children}
    </SitePage>
  );
}

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
          <Time date={at} format={format} />
        </p>
      )}
      {children}
    </li>
  );
}
