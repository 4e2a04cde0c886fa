import { KIND_LABELS } from "./activity-words.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";

/** Values of fixed choices, as an admin reads them. */
export const WORDS: Readonly<Record<string, string>> = {
  ...KIND_LABELS,
  ...OUTCOME_LABELS,
  contact_owner: "Contact owner",
  contact_property: "A contact property that holds a user",
  specific_user: "Specific user",
  rotation: "Rotation",
  default_sender: "Default sender",
  portal_default: "The preset's sender",
  wait: "Wait",
  fail: "Fail",
  skip: "Keep there and continue",
  replace: "Replace that sequence",
  sequence: "Enrollments in the same sequence",
  any: "Enrollments in any sequence",
  under_way: "Running",
  paused: "Paused",
  kept: "Kept",
  deleted: "Deleted",
  stopped: "Stopped",
  replaced: "Replaced",
  connected: "Connected",
  not_connected: "Not connected",
  never_connected: "Never connected before",
  FORM: "Form submitted, then enroll",
  FILTER: "Filter met, then enroll",
  NO_REPLY: "No reply, then the next sequence",
  OUTCOME: "Enroll, wait, then branch",
  ACTIVE: "On",
  DISABLED: "Off",
  DAILY: "Daily",
  WEEKLY: "Weekly",
  viewer: "Viewer",
  admin: "Admin",
};

/** What an entry is about, in the words of its heading and of the filter. */
export const SUBJECTS: Readonly<Record<string, string>> = {
  sender: "Sender",
  rotation: "Rotation",
  preset: "Preset",
  import: "Import",
  portal: "Account",
  alerts: "Alerts",
  webhook: "Webhook",
  access: "Access",
  key: "API key",
  executions: "Contacts",
  workflow: "Workflow",
  view: "View",
  attention: "Needs attention",
  export: "Export",
  session: "Sign-ins",
};

const ACTIONS: Readonly<Record<string, string>> = {
  CLEARED: "cleared",
  LET_IN: "access given",
  TAKEN_OUT: "access removed",
  RETRIED: "retried",
  TRIED_NOW: "enrolled now",
  SIGN_IN_REFUSED: "sign-in refused",
  CHECKED: "tried without enrolling",
  ASKED_TO_CONFIRM: "asked to confirm",
  PUT_IN: "given contacts",
  WOKEN: "shown again",
  UNDONE: "change undone",
  ASKED_TO_UNENROLL: "asked to take the contact out of its sequence",
};

/** What was done, as the end of a sentence that begins with the subject's name. */
export function actionWords(action: string): string {
  return ACTIONS[action] ?? action.toLowerCase().replaceAll("_", " ");
}
