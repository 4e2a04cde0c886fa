import { createApiClient } from "./api/client.js";
import { readArguments, type Option } from "./arguments.js";
import type { Command } from "./command.js";
import { enroll } from "./commands/enroll.js";
import { importClose } from "./commands/import-close.js";
import { importFile } from "./commands/import-file.js";
import { list, senders, sequences } from "./commands/lists.js";
import { cancel, retry, status } from "./commands/one-enrollment.js";
import { stats } from "./commands/stats.js";
import { CommandError, Interrupted, NotPermitted, WrongUse } from "./errors.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { COMMON_OPTIONS, commandHelp, overview } from "./help.js";
import { createOutput, type Output, type ProcessStream } from "./terminal/output.js";

const COMMANDS: readonly Command[] = [
  enroll,
  importFile,
  importClose,
  list,
  status,
  cancel,
  retry,
  sequences,
  senders,
  stats,
];

/** The process as a run sees it. Nothing in src/cli but main.ts looks at `process`. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: ProcessStream;
  readonly stderr: ProcessStream;
  /** Fires on Ctrl-C. */
  readonly interrupted: AbortSignal;
}

function addressOf(text: string | undefined): URL {
  if (text === undefined || text === "")
    throw new WrongUse("Say where the app is: --url URL or SEQUENCE_ENROLLER_URL.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new WrongUse(`“${text}” is no http or https address.`);
}

function keyOf(text: string | undefined): string {
  if (text === undefined || text === "")
    throw new NotPermitted("An API key is needed: SEQUENCE_ENROLLER_KEY or --key KEY.");
  if (/^[\x21-\x7e]{1,500}$/.test(text)) return text;
  throw new WrongUse("The API key has characters that no key has. Was it copied whole?");
}

async function runWith(command: Command, surroundings: Surroundings, output: Output): Promise<ExitCode> {
  const { args: words, environment, interrupted } = surroundings;
  const options: readonly Option[] = [...command.options, ...COMMON_OPTIONS];
  const args = readArguments(words.slice(1), { options, mostOperands: command.operands.length });
  if (args.has("help")) {
    await output.text(commandHelp(command));
    return EXIT.done;
  }
  const api = createApiClient({
    url: addressOf(args.text("url") ?? environment["SEQUENCE_ENROLLER_URL"]),
    key: keyOf(args.text("key") ?? environment["SEQUENCE_ENROLLER_KEY"]),
    signal: interrupted,
    onWait: (why, ms) => {
      output.say(`${why} Trying again in ${Math.ceil(ms / 1_000)} s.`);
    },
  });
  try {
    return await command.run({ api, args, output, environment, interrupted });
  } finally {
    await api.close();
  }
}

/** What ended a command early, in words and as an exit code. @throws whatever is a fault of this program. */
function explain(error: unknown, { interrupted }: Surroundings): CommandError {
  if (error instanceof CommandError) return error;
  if (interrupted.aborted) return new Interrupted("Interrupted. Nothing was changed.");
  throw error;
}

/**
 * Runs one command of the command line.
 *
 * @returns how it ended; what a person should read was written to stderr.
 */
export async function runCommand(surroundings: Surroundings): Promise<ExitCode> {
  const { args } = surroundings;
  const output = createOutput({ ...surroundings, isJson: args.includes("--json") });
  const [name = "--help"] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    await output.text(overview(COMMANDS));
    return args.length === 0 ? EXIT.wrongUse : EXIT.done;
  }
  const command = COMMANDS.find((each) => each.name === name);
  try {
    if (command === undefined) throw new WrongUse(`There is no command “${name}”.`);
    return await runWith(command, surroundings, output);
  } catch (error) {
    const found = explain(error, surroundings);
    for (const line of found.message.split("\n")) output.say(line);
    const help =
      command === undefined ? "sequence-enroller --help" : `sequence-enroller ${command.name} --help`;
    if (found instanceof WrongUse) output.say(`See: ${help}`);
    return found.exitCode;
  }
}
