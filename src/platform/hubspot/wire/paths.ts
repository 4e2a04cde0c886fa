/**
 * HubSpot's API paths, one constant per family (docs/hubspot.md §1.2: dated paths only; flows alone has none). A
 * version changes here and nowhere else.
 */
const SEQUENCES = "/automation/sequences/2026-09";
const CALLBACKS = "/automation/actions/callbacks/2026-09";
const OWNERS = "/crm/owners/2026-09";
const USERS = "/settings/users/2026-03";
const CONTACTS = "/crm/objects/2026-09/contacts";
const ACCOUNT = "/account-info/2026-09";
const CONTACT_PROPERTIES = "/crm/properties/2026-03/contacts";
const LISTS = "/crm/lists/2026-09";
const JOURNAL = "/webhooks-journal/journal/2026-09";
/**
 * Flows have no dated path yet. Version 4 ends on 2027-03-30, and until HubSpot publishes a dated one only betas follow
 * it (`/automation/2026-09-beta`): both families below move together, here.
 */
const AUTOMATION = "/automation/v4";

export const paths = {
  journalSubscriptions: "/webhooks-journal/subscriptions/2026-09",
  journalEarliest: `${JOURNAL}/earliest`,
  journalAfter: (offset: string) => `${JOURNAL}/offset/${encodeURIComponent(offset)}/next`,
  sequences: SEQUENCES,
  sequence: (sequenceId: string) => `${SEQUENCES}/${encodeURIComponent(sequenceId)}`,
  enrollments: `${SEQUENCES}/enrollments`,
  contactEnrollment: (contactId: string) =>
    `${SEQUENCES}/enrollments/contact/${encodeURIComponent(contactId)}`,
  completeBatch: `${CALLBACKS}/complete`,
  completeOne: (callbackId: string) => `${CALLBACKS}/${encodeURIComponent(callbackId)}/complete`,
  owners: OWNERS,
  owner: (ownerId: string) => `${OWNERS}/${encodeURIComponent(ownerId)}`,
  users: USERS,
  user: (userId: string) => `${USERS}/${encodeURIComponent(userId)}`,
  contact: (contactId: string) => `${CONTACTS}/${encodeURIComponent(contactId)}`,
  contactBatch: `${CONTACTS}/batch/read`,
  contactBatchUpdate: `${CONTACTS}/batch/update`,
  contactProperties: CONTACT_PROPERTIES,
  contactProperty: (name: string) => `${CONTACT_PROPERTIES}/${encodeURIComponent(name)}`,
  uninstall: "/appinstalls/2026-09/external-install",
  accountDetails: `${ACCOUNT}/details`,
  listSearch: `${LISTS}/search`,
  list: (listId: string) => `${LISTS}/${encodeURIComponent(listId)}`,
  listMembers: (listId: string) => `${LISTS}/${encodeURIComponent(listId)}/memberships`,
  flows: `${AUTOMATION}/flows`,
  flowBatch: `${AUTOMATION}/flows/batch/read`,
  workflowIdBatch: `${AUTOMATION}/workflow-id-mappings/batch/read`,
  flow: (flowId: string) => `${AUTOMATION}/flows/${encodeURIComponent(flowId)}`,
} as const;
