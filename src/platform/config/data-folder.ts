import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";

/**
 * Creates DATA_DIR if it is missing, closed to other accounts. Root's folder may only be passed through: the embedded
 * server runs under another account and has its files below. An existing folder is left as it is.
 */
export function makeDataFolder(dataDir: string): void {
  mkdirSync(path.dirname(dataDir), { recursive: true });
  try {
    mkdirSync(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  closeDataFolder(dataDir);
}

/** Removes the permissions that other accounts do not need. */
export function closeDataFolder(dataDir: string): void {
  chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
}
