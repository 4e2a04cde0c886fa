import { readFileSync } from "node:fs";

/**
 * Flags that `npm start` gives Node itself, if any, as in `--max-semi-space-size=4`: what is measured and killed here then runs as it does
 * in production.
 */
export function startFlags(): readonly string[] {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { scripts } = JSON.parse(manifest) as { scripts: { start: string } };
  const [, flags = ""] = /\bnode ((?:--\S+ )*)scripts\/start\.mjs/.exec(scripts.start) ?? [];
  return flags.split(" ").filter((flag) => flag !== "");
}
