import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeDataFolder } from "./data-folder.js";

/** A generated secret can be neither read nor created; the message is for the operator. */
export class SecretUnavailable extends Error {}

function readIfThere(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    if (text === "") throw new Error("it is empty");
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new SecretUnavailable(
      `${file} cannot be read, or is empty. Put it back from a backup and let this account read it, or set DATA_DIR.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Reads a secret made on an earlier start, or makes it: 32 random bytes in base64. Written to a temporary file and
 * linked into place: two processes that start at once end up with the same secret.
 *
 * @throws SecretUnavailable
 */
export function generatedSecret(dataDir: string, name: string): string {
  const file = path.join(dataDir, `${name}.secret`);
  const found = readIfThere(file);
  if (found !== undefined) return found;
  // Process ids repeat: in two containers on one folder they are mostly the same.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    makeDataFolder(dataDir);
    writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new SecretUnavailable(
        `${file} cannot be written. Set DATA_DIR to a folder this account may write to.`,
        { cause: error },
      );
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return readIfThere(file) ?? "";
}
