/** What an operator asks and does about accounts: `npm run --silent operator -- --help` (docs/runbook.md). */
import { createCipher } from "#domain/vault/cipher.js";
import { openDatabase } from "#platform/db/client.js";
import { createLogger } from "#platform/observability/logger.js";
import { readConfig, readDatabaseConfig } from "../config.js";
import { AppError } from "../errors.js";
import { EXIT, readCommand, USAGE, WrongUse, type Command } from "./operator/arguments.js";
import { runCommand, type CommandReport } from "./operator/commands.js";
import { withDatabaseUrl } from "./tool-database.js";

async function run(command: Command): Promise<CommandReport> {
  const config = readDatabaseConfig(process.env);
  const logger = createLogger({ level: "warn", destination: process.stderr });
  return withDatabaseUrl(config, logger, async (url) => {
    const database = openDatabase({
      url,
      applicationName: "sequence-enroller operator",
      poolSize: 4,
      logger,
    });
    const cipher = () => createCipher(readConfig(process.env).encryptionKeys);
    return runCommand({ database, logger, cipher }, command).finally(() => database.close());
  });
}

function print({ lines, document, exitCode }: CommandReport, isJson: boolean): void {
  const toString = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  const text = isJson ? JSON.stringify(document, toString, 2) : lines.join("\n");
  (exitCode === EXIT.done || isJson ? process.stdout : process.stderr).write(`${text}\n`);
  process.exitCode = exitCode;
}

try {
  const command = readCommand(process.argv.slice(2));
  if (command === undefined) process.stdout.write(USAGE);
  else print(await run(command), command.isJson);
} catch (error) {
  if (error instanceof WrongUse) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exitCode = EXIT.wrongUse;
  } else if (error instanceof AppError) {
    process.stderr.write(`${error.message}\nNothing was changed.\n`);
    process.exitCode = EXIT.failed;
  } else throw error;
}
