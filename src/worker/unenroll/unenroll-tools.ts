import type { Ownership } from "#domain/executions/claim.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { DueUnenrollment } from "#domain/unenroll/unenrollments.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { UnenrollTimes } from "./judge-contact.js";

export interface UnenrollTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly times: UnenrollTimes;
  /** False while an admin has paused the account: nothing new begins. */
  readonly mayBegin: () => Promise<boolean>;
  /** For tests: called before each step that has something to do. */
  readonly onStep?: ((step: UnenrollStep) => void) | undefined;
}

/**
 * What is done in turn, each in one statement or one request. A process can end between any two of them: what comes
 * next finds its way by what is stored.
 */
export const UNENROLL_STEPS = [
  "withdraw",
  "look",
  "note look",
  "stamp",
  "note stamp",
  "clear",
  "note clear",
  "tell",
  "forget",
] as const;
type UnenrollStep = (typeof UNENROLL_STEPS)[number];

/** What a process decides for an unenrollment. */
export type Unenrolling = Pick<UnenrollTools, "times" | "onStep">;

/** Does one step, unless there is nothing to do in it. */
export async function step<Item, Done>(
  { onStep }: UnenrollTools,
  { name, items }: { readonly name: UnenrollStep; readonly items: readonly Item[] },
  work: (items: readonly Item[]) => Promise<Done>,
): Promise<Done | undefined> {
  if (items.length === 0) return undefined;
  onStep?.(name);
  return work(items);
}

/** The contact's id now: HubSpot may have reported a merge. */
export function currentId({ contactId, execution }: DueUnenrollment): string {
  const told = execution?.contactId ?? contactId;
  return told === ERASED_CONTACT ? contactId : told;
}

/** Its execution waits for it. */
export const isWaitedFor = ({ execution }: DueUnenrollment): boolean => execution?.state === "WATCHING";
