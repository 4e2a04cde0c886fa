import { createContext, type ComponentChildren, type VNode } from "preact";
import { useContext } from "preact/hooks";
import type { Response } from "express";
import { sendFragment } from "#web/kit/page.js";
import type { MemberVisit } from "./visit.js";

/** Whether the page is rendered for somebody who may only look at it. */
export const ViewOnly = createContext(false);

export const isViewOnly = ({ role }: Pick<MemberVisit, "role">): boolean => role === "viewer";

/** The fields of a form that changes something: a viewer sees them as they are and cannot use them. */
export function ChangeFields({ children }: { children: ComponentChildren }) {
  if (!useContext(ViewOnly)) return <>{children}</>;
  return (
    <fieldset class="view-only" disabled>
      {children}
    </fieldset>
  );
}

/** What leads to a change: not offered to a viewer, who could only look at the form. */
export function ForAdmins({ children }: { children: ComponentChildren }) {
  return useContext(ViewOnly) ? null : <>{children}</>;
}

/** Sends a part of a page, as whoever asks may use it. */
export function sendPart(
  { visit, response }: { readonly visit: MemberVisit; readonly response: Response },
  part: VNode,
): void {
  sendFragment(response, <ViewOnly.Provider value={isViewOnly(visit)}>{part}</ViewOnly.Provider>);
}
