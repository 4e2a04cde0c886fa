#!/usr/bin/env node
/** The command line: a customer of the REST API, by HTTP alone. */
import { EXIT } from "./exit-codes.js";
import { runCommand } from "./run-command.js";

const interruption = new AbortController();

/** The first Ctrl-C lets the command put things in order and say how to go on; a second one ends it at once. */
function interrupt(): void {
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort();
}

process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
// Setting the code instead of leaving at once lets a pipe take the last lines.
process.exitCode = await runCommand({
  args: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interruption.signal,
});
