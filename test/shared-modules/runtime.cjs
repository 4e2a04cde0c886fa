/**
 * Jest's `runtime` option: loads test files as Node does, into the process, instead of each into a world of its own. The
 * product and its libraries are then loaded and compiled once for all files of a worker: for each file that was more than a
 * second of processor time. What a file needs for itself it still has: resolve.mjs loads what lies in `test/` again for each.
 */
const { pathToFileURL } = require("node:url");

let filesLoaded = 0;

/** The part of jest's object that the tests use; a test of a missing one fails with "is not a function". */
function jestObject({ moduleMocker, fakeTimersModern }) {
  const jest = {
    fn: (implementation) => moduleMocker.fn(implementation),
    spyOn: (object, method) => moduleMocker.spyOn(object, method),
    restoreAllMocks: () => (moduleMocker.restoreAllMocks(), jest),
    useFakeTimers: (config) => (fakeTimersModern.useFakeTimers(config), jest),
    useRealTimers: () => (fakeTimersModern.useRealTimers(), jest),
    advanceTimersByTime: (ms) => fakeTimersModern.advanceTimersByTime(ms),
    advanceTimersByTimeAsync: (ms) => fakeTimersModern.advanceTimersByTimeAsync(ms),
  };
  return jest;
}

module.exports = class SharedModulesRuntime {
  #environment;

  constructor(_config, environment) {
    this.#environment = environment;
  }

  /** Jest's own code, with the state of this test file alone: it keeps that in its module and in a global. */
  requireInternalModule(file) {
    delete require.cache[file];
    delete globalThis[Symbol.for("EVENT_HANDLERS")];
    return require(file);
  }

  setGlobalsForRuntime(globals) {
    globalThis[Symbol.for("sequence-enroller.jest-globals")] = {
      ...globals,
      jest: jestObject(this.#environment),
    };
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  async unstable_importModule(file) {
    filesLoaded += 1;
    return import(`${pathToFileURL(file).href}?test-file=${filesLoaded}`);
  }

  requireModule(file) {
    return require(file);
  }

  getSourceMaps() {
    return new Map();
  }

  getAllCoverageInfoCopy() {
    return undefined;
  }

  enterTestCode() {}

  leaveTestCode() {}

  teardown() {
    this.#environment.moduleMocker.restoreAllMocks();
  }
};
