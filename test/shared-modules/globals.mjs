/** What `@jest/globals` gives to a test file: runtime.cjs leaves it here before it loads the file. */
export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } =
  globalThis[Symbol.for("sequence-enroller.jest-globals")];
