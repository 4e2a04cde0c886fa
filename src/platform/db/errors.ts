import { AppError } from "../../errors.js";
import { databaseTroubleOf } from "./storage-faults.js";

/** Nothing answers at the database's address, or it refuses this app. */
export class DatabaseUnreachable extends AppError {
  override readonly code = "DATABASE_UNREACHABLE";
  override readonly status = 503;
  override readonly retryable = true;
}

/**
 * The database answers, but cannot be used until the operator fixes something: the code is the trouble's
 * (src/platform/db/storage-faults.ts), the message says what happened and what to do.
 */
export class DatabaseUnusable extends AppError {
  override readonly code: string;
  override readonly status = 503;

  constructor(fault: DatabaseFault, options: { cause?: unknown } = { cause: fault }) {
    const trouble = databaseTroubleOf(fault);
    super(`${trouble?.means ?? ""} ${trouble?.todo ?? ""} (${fault.message})`.trim(), options);
    this.code = trouble?.cause ?? "DATABASE_UNUSABLE";
  }
}

/** The message of PostgreSQL or the system. */
interface DatabaseFault {
  readonly code?: string;
  readonly message: string;
}

/** What kept the app from starting, as a sentence if the database is the cause; any other fault unchanged. */
export function worded(fault: unknown): unknown {
  if (fault instanceof AppError || databaseTroubleOf(fault) === undefined) return fault;
  return new DatabaseUnusable(fault as DatabaseFault);
}

/** The pooler in front of the database does not keep sessions apart; the message says what to set. */
export class DatabasePoolerUnsupported extends AppError {
  override readonly code = "DATABASE_POOLER_UNSUPPORTED";
}

/** This machine cannot run the embedded server in its current state; the message says what to set. */
export class EmbeddedPostgresUnavailable extends AppError {
  override readonly code = "EMBEDDED_POSTGRES_UNAVAILABLE";
}

/** The embedded server did not start in time; the message carries the end of its log. */
export class EmbeddedPostgresFailed extends AppError {
  override readonly code = "EMBEDDED_POSTGRES_FAILED";
}

/**
 * A server in another container or on another machine holds the embedded database's files; the message says what to do.
 */
export class DataDirInUse extends AppError {
  override readonly code = "DATA_DIR_IN_USE";
  override readonly retryable = true;
}

/** The migrations as shipped and the database's record of them do not match; the message says what to do. */
export abstract class MigrationError extends AppError {}

/** A migration's file is not the one that was applied. */
export class MigrationEdited extends MigrationError {
  override readonly code = "MIGRATION_EDITED";
}

/** A migration began and was neither finished nor undone. */
export class MigrationUnfinished extends MigrationError {
  override readonly code = "MIGRATION_UNFINISHED";
}

/** The database refused a migration's SQL. */
export class MigrationFailed extends MigrationError {
  override readonly code = "MIGRATION_FAILED";
}

/** Another transaction kept a migration from a lock it needs; the message names the session. */
export class MigrationBlocked extends MigrationError {
  override readonly code = "MIGRATION_BLOCKED";
  override readonly retryable = true;
}

/** Another process has been migrating this database for too long. */
export class MigrationsLocked extends MigrationError {
  override readonly code = "MIGRATIONS_LOCKED";
  override readonly retryable = true;
}
