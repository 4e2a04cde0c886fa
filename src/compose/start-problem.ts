import type { Config } from "../config.js";
import { AppError } from "../errors.js";

interface SystemFault {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly hostname?: unknown;
}

/** Why a folder cannot be used: wrong kind, closed, read-only, full, or an impossible name. */
const OF_A_FOLDER = new Set([
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "ENAMETOOLONG",
  "ENOENT",
  "EDQUOT",
]);

/**
 * Why the app could not start and what to do about it, as a sentence for the operator; undefined for unforeseen faults,
 * for which the stack has to do.
 */
export function startProblem(
  fault: unknown,
  { host, port, dataDir, databaseUrl }: Pick<Config, "host" | "port" | "dataDir" | "databaseUrl">,
): string | undefined {
  if (fault instanceof AppError) return fault.message;
  const { code, syscall, hostname } = (fault ?? {}) as SystemFault;
  if (code === "EADDRINUSE")
    return `Another program listens on ${host}:${port} already. End it, or set PORT to a free port.`;
  if (code === "EACCES" && syscall === "listen")
    return `This account may not listen on port ${port}. Set PORT to 1024 or more.`;
  if (code === "EADDRNOTAVAIL" || (syscall === "getaddrinfo" && hostname === host))
    return `HOST is "${host}", which is not an address of this machine. Set it to one, such as 0.0.0.0 for all.`;
  if (databaseUrl === undefined && typeof code === "string" && OF_A_FOLDER.has(code))
    return `DATA_DIR is "${dataDir}", which cannot be used (${code}). Set it to a folder this account may write to, or set DATABASE_URL.`;
  return undefined;
}
