/**
 * Prepares the tree, then runs a built program in this same process, so that signals reach it directly.
 *
 *   node scripts/start.mjs main.js [arguments]        the app
 *   node scripts/start.mjs bin/demo.js [arguments]    the demo
 */
import { fileURLToPath } from "node:url";
import { prepare, reportingProblems } from "./prepare.mjs";

const [program = "main.js", ...args] = process.argv.slice(2);
reportingProblems(() => prepare({ build: true }));

const file = new URL(`../dist/${program}`, import.meta.url);
// The demo brings a configuration of its own and must never reach a real database or portal.
if (program !== "bin/demo.js") await import("./load-env.mjs");
process.argv = [process.argv[0], fileURLToPath(file), ...args];
await import(file.href);
