import type { ApiClient } from "./api/client.js";
import type { Arguments, Option } from "./arguments.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./terminal/output.js";

/** What a command works with. */
export interface CommandContext {
  readonly api: ApiClient;
  readonly args: Arguments;
  readonly output: Output;
  /** For secrets, which should not stand in a list of processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Fires on Ctrl-C: requests and pauses of the run end at once, and the command says what it leaves behind. */
  readonly interrupted: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** How its arguments look, as in `FILE.csv`; the help shows it after the name. */
  readonly operands: readonly string[];
  readonly options: readonly Option[];
  /** Further lines of its help: examples, what it prints. */
  readonly notes?: readonly string[];
  run(context: CommandContext): Promise<ExitCode>;
}
