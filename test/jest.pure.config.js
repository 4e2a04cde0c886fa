import { fileURLToPath } from "node:url";
import fc from "fast-check";
import apart from "./jest.apart.config.js";
import everything from "./jest.config.js";

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * For mutation testing: the tests of pure modules alone, which need no database. The faults are in the modules, so each run
 * loads the product again; its libraries are loaded once, since they take most of a run's time.
 */
export default async () => {
  process.env.WATCHES_SOURCES = "true";
  // From here and not by a flag of Node's: Stryker copies everything to a folder of its own, and the modules are there.
  await import("./shared-modules/register.mjs");
  // Node would keep the source map of each module that is loaded again: a dozen megabytes a run.
  process.setSourceMapsEnabled(false);
  // That a property fails is enough: by which smallest example nobody reads.
  fc.configureGlobal({ endOnFailure: true });
  return {
    ...everything,
    // The tests that reach a module are searched for in these alone.
    roots: ["<rootDir>/test/unit", "<rootDir>/test/support"],
    testMatch: ["**/test/unit/**/*.test.ts"],
    testEnvironment: fileOf("shared-modules/first-failure.cjs"),
    runtime: fileOf("shared-modules/runtime.cjs"),
    // For jest's search alone: the files are loaded by Node.
    moduleNameMapper: apart.moduleNameMapper,
    globalSetup: undefined,
    globalTeardown: undefined,
    testTimeout: 10_000,
  };
};
