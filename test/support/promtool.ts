import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PLACES = [process.env["PROMTOOL_PATH"], "/usr/bin/promtool", "/usr/local/bin/promtool"];

/** Prometheus' own checker; undefined if it is not installed (Debian: `apt-get install prometheus`). */
export const promtool = PLACES.find((place) => place !== undefined && existsSync(place));

if (promtool === undefined)
  process.stderr.write("promtool is not installed: rules and metrics are not checked by Prometheus itself\n");

/** Runs it. @param input what it reads. */
export function runPromtool(args: readonly string[], input = ""): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool ?? "promtool", args, { input, encoding: "utf8" });
  return { status, output: stdout + stderr };
}
