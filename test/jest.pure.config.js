import apart from "./jest.apart.config.js";

/** For mutation testing: the tests of pure modules alone, which need no database. */
export default {
  ...apart,
  testMatch: ["**/test/unit/**/*.test.ts"],
  // Takes seconds, and is about how long every pattern of the source takes.
  testPathIgnorePatterns: ["/test/unit/text/patterns.test"],
  globalSetup: undefined,
  globalTeardown: undefined,
  testTimeout: 10_000,
};
