/**
 * Makes, lists and revokes keys of the REST API, for the operator:
 *
 *   npm run --silent api-key -- create --portal <id> --name <name> --scopes enrollments:read,enrollments:write [--expires 2027-01-31]
 *   npm run --silent api-key -- list --portal <id>
 *   npm run --silent api-key -- revoke --portal <id> --prefix <prefix>
 *
 * `create` prints the key alone, this once. A key expires at the end of the day that is named, in UTC.
 */
import { parseArgs } from "node:util";
import { API_SCOPES, type ApiScope, type System } from "#domain/contract/actor.js";
import { createKey, LONGEST_KEY_NAME, MAX_KEYS, revokeKey } from "#domain/keys/change-keys.js";
import { endOfExpiryDay } from "#domain/keys/expiry-day.js";
import { listKeys } from "#domain/keys/list-keys.js";
import { openDatabase, type Database } from "#platform/db/client.js";
import { createLogger } from "#platform/observability/logger.js";
import { readDatabaseConfig } from "../config.js";
import { AppError } from "../errors.js";
import { withDatabaseUrl } from "./tool-database.js";

const USAGE = `Usage: npm run --silent api-key -- create --portal <id> --name <name> --scopes ${API_SCOPES.join(",")} [--expires 2027-01-31]
       npm run --silent api-key -- list --portal <id>
       npm run --silent api-key -- revoke --portal <id> --prefix <prefix>
`;

/** Ends the process: the command was not understood. */
function wrongUse(problem: string): never {
  process.stderr.write(`${problem}\n${USAGE}`);
  process.exit(2);
}

function readCommand() {
  try {
    const text = { type: "string" } as const;
    const options = { portal: text, name: text, scopes: text, expires: text, prefix: text };
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return wrongUse(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = readCommand();
const [command, ...rest] = positionals;
if (rest.length > 0) wrongUse(`"${rest.join(" ")}" is not understood.`);
if (!/^[1-9]\d{0,17}$/.test(values.portal ?? "")) wrongUse("--portal needs the account's number.");
const operator: System = { kind: "system", portalId: BigInt(values.portal ?? ""), part: "operator" };

function scopesOf(given: string | undefined): ApiScope[] {
  const names = (given ?? "").split(",").map((name) => name.trim());
  const scopes = API_SCOPES.filter((scope) => names.includes(scope));
  if (names.some((name) => !API_SCOPES.some((scope) => scope === name)))
    return wrongUse(`--scopes needs one or more of ${API_SCOPES.join(",")}.`);
  return scopes;
}

function expiryOf(given: string | undefined): Date | undefined {
  if (given === undefined) return undefined;
  const end = endOfExpiryDay(given);
  if (end === undefined) return wrongUse("--expires needs a day, such as 2027-01-31.");
  if (end.getTime() <= Date.now()) wrongUse("--expires needs a day that is not over.");
  return end;
}

async function create({ pool }: Database): Promise<void> {
  const name = (values.name ?? "").trim();
  if (name === "" || name.length > LONGEST_KEY_NAME)
    wrongUse(`--name needs 1 to ${LONGEST_KEY_NAME} characters.`);
  const draft = { name, scopes: scopesOf(values.scopes), expiresAt: expiryOf(values.expires) };
  const made = await createKey(pool, operator, draft);
  switch (made.kind) {
    case "created":
      process.stdout.write(`${made.key}\n`);
      return;
    case "too-many":
      return fail(`Account ${operator.portalId} has ${MAX_KEYS} keys. Revoke one first.`);
    case "unknown-portal":
      return fail(`Account ${operator.portalId} has never had the app.`);
  }
}

async function list({ pool }: Database): Promise<void> {
  for (const key of await listKeys(pool, operator.portalId)) {
    const state = key.revokedAt !== null ? "revoked" : key.isInForce ? "in force" : "expired";
    const day = (date: Date | null): string => date?.toISOString().slice(0, 10) ?? "never";
    const columns = [
      key.prefix,
      state,
      key.scopes.join(","),
      `expires ${day(key.expiresAt)}`,
      `last used ${day(key.lastUsedAt)}`,
      key.name,
    ];
    process.stdout.write(`${columns.join("\t")}\n`);
  }
}

async function revoke({ pool }: Database): Promise<void> {
  const { prefix } = values;
  if (prefix === undefined) wrongUse("--prefix needs the first eight characters after sqe_.");
  if (await revokeKey(pool, operator, prefix))
    process.stderr.write("Revoked. Every process refuses the key within five seconds.\n");
  else fail(`Account ${operator.portalId} has no key ${prefix} in force.`);
}

function fail(problem: string): void {
  process.stderr.write(`${problem} Nothing was changed.\n`);
  process.exitCode = 1;
}

const COMMANDS: Readonly<Record<string, (database: Database) => Promise<void>>> = { create, list, revoke };
const work = Object.hasOwn(COMMANDS, command ?? "") ? COMMANDS[command ?? ""] : undefined;
if (work === undefined) wrongUse("Say create, list or revoke.");

const config = readDatabaseConfig(process.env);
const logger = createLogger({ level: config.logLevel, destination: process.stderr });
try {
  await withDatabaseUrl(config, logger, async (url) => {
    const database = openDatabase({ url, applicationName: "sequence-enroller api-key", poolSize: 1, logger });
    await work(database).finally(() => database.close());
  });
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  fail(error.message);
}
