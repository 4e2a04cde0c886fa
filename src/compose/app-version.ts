import { readFileSync } from "node:fs";

/** The version in package.json, which is two folders up from `src/compose` as from `dist/compose`. */
export function appVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
