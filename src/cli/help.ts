import type { Option } from "./arguments.js";
import type { Command } from "./command.js";

/** The options that every command has. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: "url", value: "URL", help: "where the app is; otherwise SEQUENCE_ENROLLER_URL" },
  {
    name: "key",
    value: "KEY",
    help: "an API key; otherwise SEQUENCE_ENROLLER_KEY, which other users of this machine cannot see",
  },
  { name: "json", help: "print JSON on stdout, one value a line, for programs" },
];

const EXIT_CODES =
  "Exit codes: 0 done; 1 some rows or the enrollment failed, or the app refused; 2 wrong use; 3 not permitted; 4 not reachable; 130 ended by Ctrl-C.";

/** Characters of a line: what the narrowest usual terminal has. */
const WIDTH = 80;

/** Breaks a text between words. Further lines begin `indent` characters to the right, where the text itself began. */
function wrapped(text: string, indent = 0): string {
  const lines = [text.slice(0, indent)];
  for (const word of text.slice(indent).split(" ")) {
    const line = lines.at(-1) ?? "";
    const isBegin = line.length === indent;
    if (isBegin) lines[lines.length - 1] = line + word;
    else if (line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(" ".repeat(indent) + word);
  }
  return lines.join("\n");
}

function optionLines(options: readonly Option[]): string[] {
  const named = options.map(({ name, value, help, bareValue }) => {
    const shown = value === undefined ? "" : bareValue === undefined ? ` ${value}` : `[=${value}]`;
    return [`--${name}${shown}`, help] as const;
  });
  const width = Math.max(...named.map(([name]) => name.length));
  return named.map(([name, help]) => wrapped(`  ${name.padEnd(width)}  ${help}`, width + 4));
}

export function commandHelp({ name, summary, operands, options, notes = [] }: Command): string {
  return [
    `Usage: ${["sequence-enroller", name, ...operands, "[options]"].join(" ")}`,
    "",
    wrapped(summary),
    "",
    ...(options.length === 0 ? [] : ["Options:", ...optionLines(options), ""]),
    "Common options:",
    ...optionLines([...COMMON_OPTIONS, { name: "help", help: "show this" }]),
    "",
    ...notes.map((note) => wrapped(note, note.length - note.trimStart().length)),
    ...(notes.length === 0 ? [] : [""]),
    wrapped(EXIT_CODES),
  ].join("\n");
}

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name, operands }) => [name, ...operands].join(" ").length));
  return [
    "Usage: sequence-enroller <command> [options]",
    "",
    wrapped(
      "Enrolls HubSpot contacts in sequences and tells what became of them, over Sequence Enroller's REST API.",
    ),
    "",
    "Commands:",
    ...commands.map(({ name, operands, summary }) =>
      wrapped(`  ${[name, ...operands].join(" ").padEnd(width)}  ${summary}`, width + 4),
    ),
    "",
    wrapped(
      "Set SEQUENCE_ENROLLER_URL and SEQUENCE_ENROLLER_KEY, or give --url and --key. Each command has --help.",
    ),
    wrapped(EXIT_CODES),
  ].join("\n");
}
