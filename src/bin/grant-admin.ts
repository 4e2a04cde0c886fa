/**
 * Lets a user of an account use its settings pages: for the operator, if the account has nobody left who could
 * (docs/runbook.md says when). First make sure that the account's owner wants it: nothing else checks that.
 *
 *   npm run portal:grant-admin -- <portal id> <HubSpot user id>
 */
import { grantByOperator } from "#domain/accounts/change-access.js";
import { readConfig } from "../config.js";
import { openDatabase } from "#platform/db/client.js";
import { AppError } from "../errors.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { withDatabaseUrl } from "./tool-database.js";

const ID = /^[1-9]\d{0,17}$/;
const [portal = "", user = "", ...rest] = process.argv.slice(2);
if (!ID.test(portal) || !ID.test(user) || rest.length > 0) {
  process.stderr.write("Usage: npm run portal:grant-admin -- <portal id> <HubSpot user id>\n");
  process.exit(2);
}
const [portalId, userId] = [BigInt(portal), BigInt(user)];

const REFUSALS = {
  "unknown-portal": `Account ${portalId} has never had the app.`,
  "has-left": `By HubSpot's user list, user ${userId} is not in account ${portalId} anymore.`,
};

const config = readConfig(process.env);
const logger = createLogger({ level: config.logLevel, secrets: ownSecrets(config) });

async function grant(url: string): Promise<void> {
  const applicationName = "sequence-enroller grant-admin";
  const database = openDatabase({ url, applicationName, poolSize: 1, logger });
  try {
    const outcome = await grantByOperator(
      database.pool,
      { kind: "system", portalId, part: "operator" },
      userId,
    );
    if (outcome === "granted" || outcome === "had-it") {
      process.stdout.write(`User ${userId} may now use the settings pages of account ${portalId}.\n`);
    } else {
      process.stderr.write(`${REFUSALS[outcome]} Nothing was changed.\n`);
      process.exitCode = 1;
    }
  } finally {
    await database.close();
  }
}

try {
  await withDatabaseUrl(config, logger, grant);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.message}\nNothing was changed.\n`);
  process.exitCode = 1;
}
