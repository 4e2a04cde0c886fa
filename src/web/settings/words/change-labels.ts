/** Labels as the forms have them, by the path of the value in an entry; their order is the order in which values are shown. */
const LABELS: Readonly<Record<string, string>> = {
  name: "Name",
  prefix: "Prefix",
  expiresAt: "Expires",
  rows: "Rows exported",
  recipe: "Recipe",
  contacts: "Contacts put in",
  rowCount: "Rows",
  segmentId: "Segment",
  closeStatuses: "Statuses in Close",
  "mapping.email": "Column of the email address",
  "mapping.contactId": "Column of the contact's id",
  "mapping.sequenceId": "Column of the sequence's id",
  "mapping.sequenceName": "Column of the sequence's name",
  "mapping.senderEmail": "Column of the sender",
  "mapping.notBefore": "Column of the date",
  "mapping.reference": "Column of the reference",
  isAllowed: "Approved to send",
  sendAsEmail: "Inbox address",
  senderAlias: "Alias",
  dailyCap: "Daily cap",
  windowDays: "Days",
  windowStartMinute: "From",
  windowEndMinute: "Until",
  timeZone: "Time zone",
  away: "Time off",
  refusedCode: "Rejected by HubSpot",
  limitedUntil: "Over HubSpot's limit until",
  keepsSender: "Keep same sender",
  members: "Senders and weights",
  isDefault: "Default preset",
  defaultPreset: "Default preset",
  presetId: "Default preset",
  chosenPresetId: "Preset",
  sequenceId: "Sequence",
  "sender.mode": "Sender",
  "sender.property": "Sender property",
  "sender.userId": "Sender (user)",
  "sender.rotationId": "Sender (rotation)",
  "fallback.rotationId": "Fallback rotation",
  "fallback.toDefaultSender": "Fall back to the default sender",
  "fallback.whenNobody": "If no one can send right now",
  ifAlreadyEnrolled: "If already in a sequence",
  "cooldown.days": "Cooldown (days)",
  cooldownDays: "Cooldown (days)",
  "cooldown.scope": "Cooldown counts",
  "suppression.domains": "Blocked domains",
  "suppression.property": "Blocked by property",
  "suppression.property.name": "Blocking property",
  "suppression.property.values": "Blocked values",
  checkOptOut: "Skip opted-out contacts",
  defaultSenderUserId: "Default sender",
  sequenceReaderUserId: "Sequences are read as",
  senderUserId: "Default sender",
  onlyListedSenders: "Only approved users can send",
  maxHoldDays: "Maximum wait (days)",
  retentionDays: "Keep history for (days)",
  webhookUrl: "Address",
  webhookHost: "Events go to",
  webhookPath: "Address after the host",
  alertWebhookUrl: "Webhook URL",
  alertWebhookPath: "Address after the host",
  alertEmail: "Alert email",
  alertFailureCount: "Failure alert (per hour)",
  alertFailurePercent: "Failure rate alert (%)",
  alertDigest: "Summary",
  alertOffKinds: "Alerts turned off",
  enrolling: "Enrollment",
  pausedUntil: "Resumes",
  history: "History",
  connection: "Connection",
  connectedBy: "Connected by",
  scopes: "Permissions",
  reason: "Reason",
  uninstalledInHubSpot: "Uninstalled in HubSpot",
  outcome: "Result",
  errorCode: "Reason",
  snoozedUntil: "Snoozed until",
  workflowId: "Workflow",
  dueAt: "Next try",
  retriedAs: "Retry record",
  jobState: "Bulk action",
  "filter.outcome": "Result",
  "filter.code": "Reason",
  "filter.kind": "Action",
  "filter.sequenceId": "Sequence",
  "filter.senderUserId": "Sender",
  "filter.workflowId": "Workflow",
  "filter.contactId": "Contact",
  "filter.search": "Search",
  "filter.since": "Received after",
  "filter.until": "Received before",
};

const ORDER = new Map(Object.keys(LABELS).map((path, index) => [path, index]));

/** "Retention days" for `retentionDays`: a value this release has no label for is still told in words. */
export function labelOf(path: string): string {
  const known = LABELS[path];
  if (known !== undefined) return known;
  const words = path
    .replaceAll(".", " ")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** Labeled values in the order of the forms, all others after them. */
export function byForm(one: string, other: string): number {
  return (ORDER.get(one) ?? ORDER.size) - (ORDER.get(other) ?? ORDER.size);
}
