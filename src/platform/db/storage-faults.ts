/**
 * The database is gone, going or hung: connection refused or cut, pool exhausted, SQLSTATE classes 08 (connection), 40
 * (rolled back because of others), 53 (disk or memory full), 57 (stopped, canceled) and 58 (system), and 25006
 * (read-only); of Prisma's: no connection, or a transaction that took too long and was rolled back.
 */
const STORAGE_CODE =
  /^(08...|40...|53...|57...|58...|25006|25P03|55P03|ECONNREFUSED|ECONNRESET|EPIPE|P1001|P1017|P2024|P2028)$/;
const STORAGE_MESSAGE = /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

/** A database problem that only the operator can fix. */
export interface DatabaseTrouble {
  /** Stable: the operator finds it in docs/runbook.md. */
  readonly cause: string;
  /** A sentence that anyone may read: it reveals nothing about the installation. */
  readonly means: string;
  /** What the operator does about it. */
  readonly todo: string;
  /** Whether an affected account cannot work until then. Faults that may pass are simply retried. */
  readonly isStandstill: boolean;
}

/** Each with the error codes of PostgreSQL (SQLSTATE), Node or OpenSSL. The first match counts. */
const TROUBLES: readonly (DatabaseTrouble & { readonly codes: RegExp })[] = [
  {
    codes: /^42501$/,
    cause: "DATABASE_RIGHTS_MISSING",
    means: "The app's role lacks rights in its database.",
    todo: "Make the role of DATABASE_URL the owner of the app's tables and schemas, or grant it all rights on them: docs/runbook.md has the statements.",
    isStandstill: true,
  },
  {
    codes: /^(42P01|42703|42883|3F000)$/,
    cause: "DATABASE_TABLES_MISSING",
    means: "The tables in the database are not those of this release.",
    todo: "Check that DATABASE_URL names the right database, that its role finds the app's schema (search_path) and may use it, and that a restore was complete; then run npm run db:migrate.",
    isStandstill: true,
  },
  {
    codes: /^(53100|ENOSPC|EDQUOT)$/,
    cause: "DATABASE_DISK_FULL",
    means: "The disk of the database is full.",
    todo: "Make room on it. The app goes on by itself.",
    isStandstill: false,
  },
  {
    codes: /^(58030|58P01|XX001|XX002|EIO)$/,
    cause: "DATABASE_FILES_UNREADABLE",
    means: "The database cannot read or write its own files.",
    todo: "Look into the server's log and check its disk. If files are damaged, restore a backup: docs/runbook.md says how.",
    isStandstill: false,
  },
  {
    codes: /^53200$/,
    cause: "DATABASE_OUT_OF_MEMORY",
    means: "The database has run out of memory.",
    todo: "Give its machine more memory, or lower work_mem and the number of connections.",
    isStandstill: false,
  },
  {
    codes: /^53300$/,
    cause: "DATABASE_CONNECTIONS_USED_UP",
    means: "The database has no connection left for the app.",
    todo: "Raise max_connections, or the limit of the role or of the database; or run fewer processes: docs/scale.md says how many connections each takes.",
    isStandstill: false,
  },
  {
    codes: /^25006$/,
    cause: "DATABASE_READ_ONLY",
    means: "The database is read-only.",
    todo: "Use the address of the primary in DATABASE_URL; if it is the primary, find out why its default_transaction_read_only is on.",
    isStandstill: false,
  },
  {
    codes: /^28P01$/,
    cause: "DATABASE_SIGN_IN_REFUSED",
    means: "The database does not let the app sign in.",
    todo: "Correct the user and the password in DATABASE_URL, and restart the app.",
    isStandstill: false,
  },
  {
    codes: /^28000$/,
    cause: "DATABASE_SIGN_IN_REFUSED",
    means: "The database does not let the app sign in.",
    todo: "If the server insists on TLS, add sslmode=require and sslrootcert=/path/to/ca.pem to DATABASE_URL. Otherwise check its user.",
    isStandstill: false,
  },
  {
    codes: /^3D000$/,
    cause: "DATABASE_MISSING",
    means: "The server has no database of that name.",
    todo: "Create the database, or correct its name in DATABASE_URL.",
    isStandstill: false,
  },
  {
    // OpenSSL's, as Node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes).
    codes:
      /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    cause: "DATABASE_CERTIFICATE_REFUSED",
    means: "The database's certificate is not one that the app trusts.",
    todo:
      "No authority that this machine trusts has signed the server's certificate: add sslrootcert=/path/to/ca.pem with your host's " +
      "CA certificate to DATABASE_URL. Or sslmode=no-verify, which encrypts but does not tell who answers.",
    isStandstill: false,
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    cause: "DATABASE_CERTIFICATE_REFUSED",
    means: "The database's certificate is not one that the app trusts.",
    todo: "The server's certificate is for another name: use that name in DATABASE_URL.",
    isStandstill: false,
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID|REVOKED)$/,
    cause: "DATABASE_CERTIFICATE_REFUSED",
    means: "The database's certificate is not one that the app trusts.",
    todo: "The server's certificate has expired, is not valid yet, or was revoked: renew it, and check the clocks of both machines.",
    isStandstill: false,
  },
];

/** What the operator has to fix, from a statement's or a connection's fault; undefined: nothing, or it is unknown. */
export function databaseTroubleOf(fault: unknown): DatabaseTrouble | undefined {
  const codes = codesOf(fault);
  return TROUBLES.find((trouble) => codes.some((code) => trouble.codes.test(code)));
}

/** Whether the fault is the database's trouble: not a fault of the request, and not one a caller could fix. */
export function isStorageDown(fault: unknown): fault is Error {
  if (!isObject(fault)) return false;
  const { message } = fault;
  return (
    codesOf(fault).some((code) => STORAGE_CODE.test(code)) ||
    databaseTroubleOf(fault) !== undefined ||
    (typeof message === "string" && STORAGE_MESSAGE.test(message))
  );
}

function codesOf(fault: unknown): readonly string[] {
  if (!isObject(fault)) return [];
  return [fault["code"], driverCodeOf(fault)].filter((code) => typeof code === "string");
}

/**
 * What the server said about a query that went through Prisma: under a Prisma code in `meta`, or directly if Prisma has
 * none. No other `cause` is read: a refused connection to HubSpot has the same codes.
 */
function driverCodeOf(fault: Fields): unknown {
  const wrapped = isObject(fault["meta"]) ? fault["meta"]["driverAdapterError"] : fault;
  if (!isObject(wrapped) || wrapped["name"] !== "DriverAdapterError" || !isObject(wrapped["cause"]))
    return undefined;
  return wrapped["cause"]["originalCode"];
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
