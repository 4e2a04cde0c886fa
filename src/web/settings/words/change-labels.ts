/** Labels as the forms have them, by the path of the value in an entry; their order is the order in which values are shown. */
const LABELS: Readonly<Record<string, string>> = {
  name: "Name",
  prefix: "Prefix",
  expiresAt: "Expires",
  rows: "Rows given out",
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
  isAllowed: "May send",
  sendAsEmail: "Send-as address",
  senderAlias: "Alias",
  dailyCap: "Daily cap",
  windowDays: "Days",
  windowStartMinute: "From",
  windowEndMinute: "Until",
  timeZone: "Time zone",
  away: "Away",
  refusedCode: "Refused by HubSpot",
  limitedUntil: "Over HubSpot's limit until",
  keepsSender: "Keeps the sender",
  members: "Senders and weights",
  isDefault: "Default preset",
  defaultPreset: "Default preset",
  presetId: "Default preset",
  chosenPresetId: "Preset",
  sequenceId: "Sequence",
  "sender.mode": "Sender",
  "sender.property": "Sender's property",
  "sender.userId": "Sender's user",
  "sender.rotationId": "Sender's rotation",
  "fallback.rotationId": "Fallback rotation",
  "fallback.toDefaultSender": "Fall back to the default sender",
  "fallback.whenNobody": "When nobody can send now",
  ifAlreadyEnrolled: "Contact is in a sequence already",
  "cooldown.days": "Cooldown, days",
  cooldownDays: "Cooldown, days",
  "cooldown.scope": "Cooldown counts",
  "suppression.domains": "Suppressed domains",
  "suppression.property": "Suppressed by property",
  "suppression.property.name": "Suppressing property",
  "suppression.property.values": "Suppressing values",
  checkOptOut: "Check the opt-out",
  defaultSenderUserId: "Default sender",
  sequenceReaderUserId: "Sequences are read as",
  senderUserId: "Default sender",
  onlyListedSenders: "Only listed people may send",
  maxHoldDays: "Longest hold, days",
  retentionDays: "History is kept, days",
  webhookUrl: "Address",
  webhookHost: "Events go to",
  webhookPath: "Address after the host",
  alertWebhookUrl: "Alerts go to",
  alertWebhookPath: "Address after the host",
  alertEmail: "Alerts are mailed to",
  alertFailureCount: "Alert at failures, in number",
  alertFailurePercent: "Alert at failures, per cent",
  enrolling: "Enrolling",
  history: "History",
  connection: "Connection",
  connectedBy: "Connected by",
  scopes: "Permissions",
  reason: "Because",
  uninstalledInHubSpot: "Uninstalled in HubSpot",
  outcome: "Outcome",
  errorCode: "Reason",
  dueAt: "Looked at next",
  retriedAs: "New execution",
  jobState: "Bulk job",
  "filter.outcome": "Status",
  "filter.code": "Reason",
  "filter.kind": "Action",
  "filter.sequenceId": "Sequence",
  "filter.senderUserId": "Sender",
  "filter.workflowId": "Workflow",
  "filter.contactId": "Contact",
  "filter.search": "Search",
  "filter.since": "Since",
  "filter.until": "Before",
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
