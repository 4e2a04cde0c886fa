import type { ComponentChildren } from "preact";
import { SitePage, type Frame } from "../frame/shell.js";

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
