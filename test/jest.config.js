/** Jest runs the TypeScript sources as Node loads them (tsx strips the types; tsc checks them in `npm run validate`). */
export default {
  rootDir: "..",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts", "**/*.test.tsx"],
  // The files of a worker share the product's modules: see shared-modules/runtime.cjs.
  testEnvironment: "<rootDir>/test/shared-modules/environment.cjs",
  runtime: "<rootDir>/test/shared-modules/runtime.cjs",
  transform: {},
  globalSetup: "<rootDir>/test/support/global-setup.js",
  globalTeardown: "<rootDir>/test/support/global-teardown.js",
  // Ends what hangs, on however busy a machine: how soon something has to happen is said in the tests that are about it.
  testTimeout: 120_000,
};
