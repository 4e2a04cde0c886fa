import { ACCOUNT_ROUTES } from "./account.js";
import { CALLBACK_ROUTES } from "./callbacks.js";
import type { ApiRoute } from "./call.js";
import { CONTACT_PROPERTY_ROUTES } from "./contact-properties.js";
import { CONTACT_WRITE_ROUTES } from "./contact-writes.js";
import { CONTACT_ROUTES } from "./contacts.js";
import { FLOW_ROUTES } from "./flows.js";
import { LIST_ROUTES } from "./lists.js";
import { OWNER_AND_USER_ROUTES } from "./owners-and-users.js";
import { PREFERENCE_ROUTES } from "./preferences.js";
import { SEQUENCE_ROUTES } from "./sequences.js";
import { WORKFLOW_ENROLLMENT_ROUTES } from "./workflow-enrollments.js";

/** Every endpoint of api.hubapi.com that the simulator has, except the token endpoints. */
export const API_ROUTES: readonly ApiRoute[] = [
  ...SEQUENCE_ROUTES,
  ...CALLBACK_ROUTES,
  ...OWNER_AND_USER_ROUTES,
  ...CONTACT_ROUTES,
  ...CONTACT_WRITE_ROUTES,
  ...CONTACT_PROPERTY_ROUTES,
  ...PREFERENCE_ROUTES,
  ...FLOW_ROUTES,
  ...LIST_ROUTES,
  ...WORKFLOW_ENROLLMENT_ROUTES,
  ...ACCOUNT_ROUTES,
];
