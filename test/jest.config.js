/** Jest runs the TypeScript sources as ES modules; swc strips the types (tsc checks them in `npm run validate`). */
export default {
  rootDir: "..",
  roots: ["<rootDir>/test"],
  testEnvironment: "node",
  testMatch: ["**/*.test.ts", "**/*.test.tsx"],
  extensionsToTreatAsEsm: [".ts", ".tsx"],
  moduleNameMapper: {
    "^(\\.{1,2}/.*)\\.js$": "$1",
    "^#(domain|platform|web|worker)/(.*)\\.js$": "<rootDir>/src/$1/$2",
  },
  transform: {
    "^.+\\.tsx?$": [
      "@swc/jest",
      {
        jsc: {
          parser: { syntax: "typescript", tsx: true },
          target: "es2022",
          transform: { react: { runtime: "automatic", importSource: "preact" } },
        },
        module: { type: "es6" },
      },
    ],
  },
  transformIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/test/support/global-setup.js",
  globalTeardown: "<rootDir>/test/support/global-teardown.js",
  // Ends what hangs, on however busy a machine: how soon something has to happen is said in the tests that are about it.
  testTimeout: 120_000,
};
