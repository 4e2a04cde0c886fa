import everything from "./jest.config.js";

/**
 * Each file in a world of its own, in which it loads the product again; swc strips the types. Slower by a second of
 * processor time a file, and the way to see whether a fault comes from what the files of a worker share:
 * `TEST_WORLDS=apart npm test -- <file>`. Mutation testing needs it, since its faults are in the modules.
 */
export default {
  ...everything,
  testEnvironment: "node",
  runtime: undefined,
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
};
