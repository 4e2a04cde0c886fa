import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { openTracing } from "#platform/observability/tracing/open-tracing.js";
import { traceIdOf } from "#platform/observability/tracing/tracing.js";
import { createLogger } from "#platform/observability/logger.js";

const ROOT = join(import.meta.dirname, "../../..");

/** Loads all that a process loads, opens tracing without and with an endpoint, and prints how many packages of OpenTelemetry are there then. */
const SCRIPT = `
  import { createRequire } from "node:module";
  const { openTracing } = await import("./src/platform/observability/tracing/open-tracing.ts");
  for (const file of ["app", "compose/web", "compose/worker"]) await import("./src/" + file + ".ts");
  function countLoaded() {
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("/@opentelemetry/"));
    const packages = new Set(loaded.map((path) => path.split("/@opentelemetry/")[1].split("/")[0]));
    // Another library may bring the interface, which does nothing by itself.
    packages.delete("api");
    return packages.size;
  }
  const about = { version: "0", role: "all" };
  await openTracing({ endpoint: undefined, ...about });
  const without = countLoaded();
  await openTracing({ endpoint: "http://127.0.0.1:9", ...about });
  console.log(JSON.stringify({ without, with: countLoaded() }));
  process.exit(0);
`;

test("without an endpoint nothing of OpenTelemetry is loaded; with one its SDK is", () => {
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", SCRIPT], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const loaded = JSON.parse(stdout) as { without: number; with: number };
  expect(loaded.without).toBe(0);
  expect(loaded.with).toBeGreaterThan(3);
});

test("without an endpoint there is no tracing at all", async () => {
  expect(await openTracing({ endpoint: undefined, version: "0", role: "all" })).toBeUndefined();
});

test("a log line carries the id of the trace that runs, and none otherwise", () => {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  let running: string | undefined = traceparent;
  const logger = createLogger({ level: "info", destination, traceparent: () => running });
  logger.info({ portalId: 7 }, "one");
  running = undefined;
  logger.info("two");
  expect(lines[0]).toMatchObject({ msg: "one", portalId: 7, traceId: "0af7651916cd43dd8448eb211c80319c" });
  expect(lines[1]).not.toHaveProperty("traceId");
});

test("what is no trace context counts as none", () => {
  for (const text of [undefined, "", "00-1-2-3", "00-" + "g".repeat(32) + "-b7ad6b7169203331-01"])
    expect(traceIdOf(text)).toEqual({});
});
