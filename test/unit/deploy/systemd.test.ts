import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startFlags } from "../../../bench/rig/start-flags.js";

const unit = readFileSync(
  new URL("../../../deploy/systemd/sequence-enroller@.service", import.meta.url),
  "utf8",
);
const ANALYZE = "/usr/bin/systemd-analyze";
const hasSystemd = existsSync(ANALYZE);
if (!hasSystemd)
  console.warn("skipped: systemd-analyze is not installed, so nobody but this file read the unit");
/** On systemd's scale from 0 to 100, of which 25 is "OK"; a unit without any of it has 96. */
const MOST_EXPOSED = 20;

describe("the unit of systemd", () => {
  let folder: string;
  let file: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "sequence-enroller-unit-"));
    file = path.join(folder, "sequence-enroller@web.service");
    // Wherever Node is on this machine: systemd looks whether the program is there.
    writeFileSync(file, unit.replaceAll("/usr/bin/node", process.execPath));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const analyze = (...args: string[]) => spawnSync(ANALYZE, args, { encoding: "utf8" });

  (hasSystemd ? test : test.skip)("is one that systemd understands, without a warning", () => {
    const { status, stderr } = analyze("verify", file);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  (hasSystemd ? test : test.skip)("is little exposed, by systemd's own count", () => {
    const { status, stdout } = analyze(
      ...["security", "--offline=true", `--threshold=${MOST_EXPOSED}`, "--no-pager", file],
    );
    expect({ status, verdict: /Overall exposure level.*/.exec(stdout)?.[0] }).toMatchObject({ status: 0 });
  });

  test("runs as an ordinary account on code that it cannot change, and waits for the app to end", () => {
    const setting = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1];
    expect(setting("User")).toBe("sequence-enroller");
    expect(setting("ProtectSystem")).toBe("strict");
    expect(unit).not.toMatch(/^(ReadWritePaths|StateDirectory)=/m);
    expect(setting("Environment")).toBe("NODE_ENV=production ROLE=%i");
    expect(setting("ExecStart")).toBe(
      ["/usr/bin/node", ...startFlags(), "scripts/start.mjs main.js"].join(" "),
    );
    expect(Number(setting("TimeoutStopSec"))).toBeGreaterThan(19);
    expect(Number(setting("LimitNOFILE"))).toBeGreaterThanOrEqual(8_192);
  });
});
