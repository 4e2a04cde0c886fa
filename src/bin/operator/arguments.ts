import { parseArgs } from "node:util";
import type { PortalId } from "#platform/ids/branded-ids.js";

export const USAGE = `Usage: npm run --silent operator -- <command> [options]

  portals                          every account and how it fares; those with trouble come first
  portal <account>                 one account: its state, what waits, what became of the last day's contacts, who changed what
  pause <account>                  enroll nobody of it until "resume"; calls are kept
  resume <account>                 go on
  drain <account> [--wait <s>]     have a worker take it up now; with --wait, until nothing is due or <s> seconds are over
  redeliver <account> [--webhook <id>]
                                   send messages once more that were given up, of one webhook or of all
  erase <account> --yes            disconnect it and delete everything of it, at once and for good

  --json    print one JSON document instead of text; ids are strings, times ISO 8601
  --help    this text

<account> is HubSpot's number of it (Hub ID). Changes are in the account's audit log as made by the operator.
Exit codes: 0 done, 1 not done, 2 wrong use, 3 no such account.
`;

export const EXIT = { done: 0, failed: 1, wrongUse: 2, unknownPortal: 3 } as const;

/** What was asked for is not understood; the message says why. */
export class WrongUse extends Error {}

/** A command as it was typed. */
export interface Command {
  readonly name: string;
  /** Undefined for `portals` alone. */
  readonly portalId: PortalId | undefined;
  readonly isJson: boolean;
  readonly isMeant: boolean;
  readonly waitSeconds: number;
  readonly webhookId: bigint | undefined;
}

/** Which commands there are, and which options each takes besides `--json`. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  portals: [],
  portal: [],
  pause: [],
  resume: [],
  drain: ["wait"],
  redeliver: ["webhook"],
  erase: ["yes"],
};

const ID = /^[1-9]\d{0,17}$/;

function parse(given: readonly string[]) {
  const [text, flag] = [{ type: "string" }, { type: "boolean" }] as const;
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: { json: flag, help: flag, yes: flag, wait: text, webhook: text },
    });
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

function idOf(what: string, given: string | undefined): bigint | undefined {
  if (given === undefined) return undefined;
  if (!ID.test(given)) throw new WrongUse(`${what} has to be a number, not "${given}".`);
  return BigInt(given);
}

/**
 * Reads a command; undefined if help was asked for.
 *
 * @throws WrongUse
 */
export function readCommand(given: readonly string[]): Command | undefined {
  const { values, positionals } = parse(given);
  if (values.help === true) return undefined;
  const [name = "", portal, ...rest] = positionals;
  const allowed = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (allowed === undefined)
    throw new WrongUse(name === "" ? "Name a command." : `There is no command "${name}".`);
  if (rest.length > 0) throw new WrongUse(`"${rest.join(" ")}" is too much.`);
  if (name !== "portals" && portal === undefined) throw new WrongUse(`"${name}" needs an account.`);
  if (name === "portals" && portal !== undefined)
    throw new WrongUse(`"portals" takes no account; "portal ${portal}" shows one.`);
  const strange = Object.keys(values).find((option) => option !== "json" && !allowed.includes(option));
  if (strange !== undefined) throw new WrongUse(`"${name}" takes no --${strange}.`);
  if (values.wait !== undefined && !/^\d{1,5}$/.test(values.wait))
    throw new WrongUse("--wait needs a number of seconds.");
  return {
    name,
    portalId: idOf("The account", portal),
    isJson: values.json === true,
    isMeant: values.yes === true,
    waitSeconds: Number(values.wait ?? 0),
    webhookId: idOf("--webhook", values.webhook),
  };
}
