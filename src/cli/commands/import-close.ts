import { randomUUID } from "node:crypto";
import { importJob, pageOf, sender, sequence, type ImportJob } from "../api/answers.js";
import type { Command, CommandContext } from "../command.js";
import { WrongUse } from "../errors.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { check, finish, getReady, importIdOf, isAtItsEnd, read } from "./follow-import.js";
import { saveResults, showResult } from "./import-file.js";
import { LARGEST_PAGE } from "./lists.js";

type CloseRead = NonNullable<ImportJob["close"]>;

/** `A=B` as a pair; the last equals sign divides, since names have some, too. */
function pairOf(text: string, option: string): readonly [close: string, hubspot: string] {
  const equals = text.lastIndexOf("=");
  if (equals < 1 || equals === text.length - 1)
    throw new WrongUse(`--${option} takes CLOSE=HUBSPOT, not “${text}”.`);
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}

const isId = (text: string): boolean => /^\d{1,20}$/.test(text);

/** Reads the organization in Close; the app does so by itself, page by page, also after Ctrl-C. */
async function readClose(context: CommandContext): Promise<ImportJob> {
  const job = await beginReading(context);
  if (job.status === "READING") context.output.say(`Close is being read, as import ${job.id}.`);
  return getReady(context, job, { resumedBy: `import-close --resume ${job.id}` });
}

async function beginReading(context: CommandContext): Promise<ImportJob> {
  const { api, args, environment } = context;
  const id = args.text("resume");
  if (id !== undefined) return read(context, importIdOf(id));
  const apiKey = environment["CLOSE_API_KEY"] ?? "";
  if (apiKey === "") throw new WrongUse("Put Close's API key into the environment: CLOSE_API_KEY.");
  const json = { apiKey, name: args.text("name") };
  const call = { method: "POST", path: "/close-reads", json, idempotencyKey: randomUUID() } as const;
  return api.call(call, importJob);
}

async function sequenceIdOf({ api }: CommandContext, name: string): Promise<string> {
  if (isId(name)) return name;
  const found = await api.call({ method: "GET", path: "/sequences", query: { name } }, pageOf(sequence));
  const [only, another] = found.results.filter((one) => one.name === name);
  if (only === undefined) throw new WrongUse(`There is no sequence “${name}” in HubSpot.`);
  if (another !== undefined) throw new WrongUse(`Several sequences are called “${name}”: give its id.`);
  return only.id;
}

/** Looks through all pages: an account may have hundreds of senders. */
async function userIdOf({ api }: CommandContext, who: string): Promise<string> {
  if (isId(who)) return who;
  let after: string | undefined;
  do {
    const query = { limit: LARGEST_PAGE, after };
    const page = await api.call({ method: "GET", path: "/senders", query }, pageOf(sender));
    const found = page.results.find(({ email }) => email?.toLowerCase() === who.toLowerCase());
    if (found?.userId != null) return found.userId;
    after = page.paging?.next?.after;
  } while (after !== undefined);
  throw new WrongUse(`Nobody with the address “${who}” may send. Give a user's id.`);
}

/** What was chosen on the command line, besides what the app guessed by equal names. */
async function choicesOf(context: CommandContext, close: CloseRead): Promise<Record<string, unknown>> {
  const { args } = context;
  const sequences = Object.fromEntries(
    close.sequences.flatMap(({ id, sequenceId }) => (sequenceId == null ? [] : [[id, sequenceId] as const])),
  );
  const senders = Object.fromEntries(
    close.senders.flatMap(({ email, userId }) => (userId == null ? [] : [[email, userId] as const])),
  );
  for (const text of args.list("sequence")) {
    const [name, hubspot] = pairOf(text, "sequence");
    const found = close.sequences.find((one) => one.id === name || one.name === name);
    if (found === undefined) throw new WrongUse(`There is no sequence “${name}” in Close.`);
    sequences[found.id] = await sequenceIdOf(context, hubspot);
  }
  for (const text of args.list("sender")) {
    const [address, hubspot] = pairOf(text, "sender");
    senders[address.toLowerCase()] = await userIdOf(context, hubspot);
  }
  const statuses = args.list("status");
  return { sequences, senders, ...(statuses.length > 0 && { statuses }) };
}

async function tell({ output }: CommandContext, { close }: ImportJob): Promise<void> {
  if (output.isJson || close == null) return;
  await output.table(
    ["Sequence in Close", "Contacts", "In HubSpot"],
    close.sequences.map(({ name, subscriptions, sequenceId }) => [
      name,
      subscriptions,
      sequenceId ?? "skipped",
    ]),
  );
  await output.table(
    ["Sender in Close", "Contacts", "User in HubSpot"],
    close.senders.map(({ email, subscriptions, userId }) => [
      email,
      subscriptions,
      userId ?? "as the preset says",
    ]),
  );
  await output.table(
    ["Status in Close", "Contacts", "Enrolled"],
    close.statuses.map(({ status, subscriptions, isChosen }) => [
      status,
      subscriptions,
      isChosen ? "yes" : "no",
    ]),
  );
}

async function run(context: CommandContext): Promise<ExitCode> {
  const { api, args, output } = context;
  const found = await readClose(context);
  if (found.close == null || !["UPLOADED", "CHECKED"].includes(found.status)) {
    output.say(found.problem?.message ?? `Import ${found.id} is ${found.status.toLowerCase()}.`);
    return EXIT.failed;
  }
  const json = { close: await choicesOf(context, found.close) };
  const chosen = await api.call({ method: "PATCH", path: `/imports/${found.id}`, json }, importJob);
  await tell(context, chosen);
  const checked = await check(context, chosen);
  const isTrial = !args.has("start");
  const ended = isTrial ? checked : await finish(context, checked);
  await showResult(context, ended);
  const out = args.text("out");
  if (out !== undefined) await saveResults(context, ended, out);
  const { failed, invalid } = ended.counts;
  return isAtItsEnd(context, ended, { isTrial }) && failed + invalid === 0 ? EXIT.done : EXIT.failed;
}

export const importClose: Command = {
  name: "import-close",
  summary: "Moves contacts over from sequences in Close. Tells what would happen; --start does it.",
  operands: [],
  options: [
    {
      name: "sequence",
      value: "CLOSE=HUBSPOT",
      isRepeated: true,
      help: "a sequence in Close by name or id, and the one in HubSpot by name or id; equal names are taken",
    },
    {
      name: "sender",
      value: "CLOSE=HUBSPOT",
      isRepeated: true,
      help: "a sender's address in Close, and a user in HubSpot by address or id; equal addresses are taken",
    },
    {
      name: "status",
      value: "STATUS",
      isRepeated: true,
      help: "whom to enroll: active (the default), paused, finished, error, goal",
    },
    { name: "start", help: "enroll them" },
    { name: "out", value: "FILE", help: "save who is enrolled, and who is not and why, as CSV" },
    { name: "name", value: "TEXT", help: "what to call the import" },
    { name: "resume", value: "ID", help: "go on with an earlier import from Close, without its key" },
  ],
  notes: [
    "The key of Close comes from the environment: CLOSE_API_KEY. The app keeps it sealed while it reads, and erases it.",
    "Example:",
    "  sequence-enroller import-close --sequence Welcome=Inbound --out report.csv",
    "Nothing is changed in Close.",
  ],
  run,
};
