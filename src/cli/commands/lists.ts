import type { z } from "zod";
import { enrollment, pageOf, sender, sequence } from "../api/answers.js";
import type { Query } from "../api/client.js";
import type { Option } from "../arguments.js";
import type { Command, CommandContext } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { shortTime, showEnrollments } from "./enrollment-view.js";

export const LARGEST_PAGE = 200;

const PAGE_OPTIONS: readonly Option[] = [
  { name: "limit", value: "N", help: "how many to show, 1 to 200 (50)" },
  { name: "after", value: "CURSOR", help: "go on where an earlier page ended" },
  { name: "all", help: "show all pages" },
];

/** The filters of the API's listing: its names, written as options. */
const FILTERS: readonly (readonly [field: string, value: string, help: string])[] = [
  ["contactId", "ID", "of this contact"],
  ["email", "ADDRESS", "of the contact with this address"],
  ["sequenceId", "ID", "in this sequence"],
  ["senderUserId", "ID", "sent by this user"],
  ["status", "STATUS,…", "in one of these statuses"],
  ["reason", "CODE", "with this reason"],
  ["workflowId", "ID", "of this workflow"],
  ["importId", "ID", "of this import"],
  ["source", "SOURCE", "workflow, api, import, retry, agent or flow"],
  ["reference", "TEXT", "with this reference"],
  ["createdAfter", "TIME", "created after this time"],
  ["createdBefore", "TIME", "created before it"],
  ["updatedAfter", "TIME", "changed after it"],
  ["sort", "FIELD", "-createdAt, or updatedAt for syncing"],
];

function optionName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Shows a page, or with `--all` each page as it arrives; says how to go on if there is more. */
async function showPages<Item extends z.ZodType>(
  { api, args, output }: CommandContext,
  list: { path: string; query: Query; item: Item; show: (items: z.infer<Item>[]) => Promise<void> },
): Promise<ExitCode> {
  const limit =
    args.number("limit", { min: 1, max: LARGEST_PAGE }) ?? (args.has("all") ? LARGEST_PAGE : undefined);
  let after = args.text("after");
  do {
    const query = { ...list.query, limit, after };
    const page = await api.call({ method: "GET", path: list.path, query }, pageOf(list.item));
    await list.show(page.results);
    after = page.paging?.next?.after;
  } while (args.has("all") && after !== undefined && !output.isClosed());
  if (after !== undefined && !output.isClosed()) output.say(`There are more: --all, or --after ${after}`);
  return EXIT.done;
}

export const list: Command = {
  name: "list",
  summary: "Lists enrollments, the newest first.",
  operands: [],
  options: [
    ...FILTERS.map(([field, value, help]) => ({ name: optionName(field), value, help })),
    ...PAGE_OPTIONS,
  ],
  notes: ["With --json: one enrollment a line."],
  run: (context) =>
    showPages(context, {
      path: "/enrollments",
      query: Object.fromEntries(FILTERS.map(([field]) => [field, context.args.text(optionName(field))])),
      item: enrollment,
      show: (items) => showEnrollments(context.output, items),
    }),
};

export const sequences: Command = {
  name: "sequences",
  summary: "Lists the account's sequences.",
  operands: [],
  options: [{ name: "name", value: "TEXT", help: "with this in their name" }, ...PAGE_OPTIONS],
  run: (context) =>
    showPages(context, {
      path: "/sequences",
      query: { name: context.args.text("name") },
      item: sequence,
      async show(items) {
        if (context.output.isJson) for (const item of items) await context.output.json(item);
        else
          await context.output.table(
            ["Id", "Name", "Updated (UTC)"],
            items.map(({ id, name, updatedAt }) => [id, name, shortTime(updatedAt)]),
          );
      },
    }),
};

export const senders: Command = {
  name: "senders",
  summary: "Lists who may send, with caps, windows and problems.",
  operands: [],
  options: PAGE_OPTIONS,
  run: (context) =>
    showPages(context, {
      path: "/senders",
      query: {},
      item: sender,
      async show(items) {
        if (context.output.isJson) for (const item of items) await context.output.json(item);
        else
          await context.output.table(
            ["User", "Name", "Email", "Cap", "Used", "Problem"],
            items.map((item) => [
              item.userId,
              item.name,
              item.email,
              item.cap,
              item.used,
              item.problem?.code,
            ]),
          );
      },
    }),
};
