import { ACTIVITY_PATH } from "./paths.js";

/** A list of executions narrowed down, as the activity page takes it. */
export function activityAddress(query: Readonly<Record<string, string>>): string {
  return `${ACTIVITY_PATH}?${new URLSearchParams(query)}`;
}

/** The list of what the enroll action decided from a moment on, each call once: what overview and reports count. */
export function decidedAddress(since: Date, query: Readonly<Record<string, string>>): string {
  return activityAddress({ ...query, kind: "ENROLL", decided: since.toISOString(), retries: "without" });
}
