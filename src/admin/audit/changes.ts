/** One value that differs between two states of the same thing, in words. */
export interface Change {
  label: string;
  before: string;
  after: string;
}

/** What ids in a snapshot are called. */
export interface Names {
  /** By user id. */
  people: ReadonlyMap<string, string>;
  /** By rotation id. */
  rotations: ReadonlyMap<string, string>;
}

/** Labels as the forms have them, by the path of the value. A path that is not here is shown as it is. */
const LABELS: Readonly<Record<string, string>> = {
  name: "Name",
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
  "sender.mode": "Sender",
  "sender.property": "Sender's property",
  "sender.userId": "Sender's user",
  "sender.rotationId": "Sender's rotation",
  "fallback.rotationId": "Fallback rotation",
  "fallback.toDefaultSender": "Fall back to the default sender",
  "fallback.whenNobody": "When nobody can send now",
  ifAlreadyEnrolled: "Contact is in a sequence already",
  "cooldown.days": "Cooldown, days",
  "cooldown.scope": "Cooldown counts",
  "suppression.domains": "Suppressed domains",
  "suppression.property": "Suppressed by property",
  "suppression.property.name": "Suppressing property",
  "suppression.property.values": "Suppressing values",
  checkOptOut: "Check the opt-out",
  defaultSenderUserId: "Default sender",
  onlyListedSenders: "Only listed people may send",
  maxHoldDays: "Longest hold, days",
  retentionDays: "History is kept, days",
  alertWebhookUrl: "Alerts go to",
  alertEmail: "Alerts are mailed to",
  alertFailureCount: "Alert at failures, in number",
  alertFailurePercent: "Alert at failures, per cent",
};

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const ORDER = Object.keys(LABELS);

/** Every value that differs, in the order of the forms; null stands for "not there". */
export function describeChanges(before: unknown, after: unknown, names: Names): Change[] {
  const [left, right] = [flatten(before), flatten(after)];
  const paths = new Set([...right.keys(), ...left.keys()]);
  return [...paths]
    .sort((one, other) => ORDER.indexOf(one) - ORDER.indexOf(other))
    .map((path) => ({
      label: LABELS[path] ?? path,
      before: describe(path, left.get(path), names),
      after: describe(path, right.get(path), names),
    }))
    .filter((change) => change.before !== change.after);
}

function flatten(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map(path === "" ? [] : [[path, value]]);
  if (Array.isArray(value)) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [
      ...flatten(inner, path === "" ? name : `${path}.${name}`),
    ]),
  );
}

function describe(path: string, value: unknown, names: Names): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.map((item) => describeItem(path, item, names)).join(", ") || "–";
  if (typeof value === "number")
    return path.endsWith("Minute") ? clockTime(value) : value.toLocaleString("en-US");
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (/userId$/i.test(path)) return names.people.get(text) ?? `User ${text}`;
  if (/rotationId$/.test(path)) return names.rotations.get(text) ?? `Rotation ${text}`;
  return WORDS.get(text) ?? text;
}

/** Values of fixed choices. */
const WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    contact_owner: "The contact's owner",
    contact_property: "A user property of the contact",
    specific_user: "One user",
    rotation: "A rotation",
    default_sender: "The default sender",
    wait: "Wait",
    fail: "Fail",
    skip: "Skip",
    sequence: "Enrollments in the same sequence",
    any: "Enrollments in any sequence",
  }),
);

function describeItem(path: string, item: unknown, names: Names): string {
  if (path === "windowDays") return DAYS[Number(item) - 1] ?? String(item);
  if (typeof item !== "object" || item === null) return String(item);
  const fields = item as Record<string, unknown>;
  if (path === "away") return `${String(fields["from"])} to ${String(fields["to"])}`;
  if (path === "members")
    return `${describe("userId", fields["userId"], names)} (${String(fields["weight"])})`;
  return JSON.stringify(item);
}

/** "09:30"; 1,440 minutes are "24:00". */
export function clockTime(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
