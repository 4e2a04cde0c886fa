/** Runs jest with what it needs for ES modules; arguments are jest's: `npm test -- redact --watch`. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
const jest = "node_modules/jest/bin/jest.js";
const child = spawn(
  process.execPath,
  [...flags, jest, "-c", "test/jest.config.js", ...process.argv.slice(2)],
  {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: "inherit",
  },
);
// Ctrl-C reaches jest by itself, which then stops the database; this process only waits. kill does not, so pass it on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code) => process.exit(code ?? 1));
