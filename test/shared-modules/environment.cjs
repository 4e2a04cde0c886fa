/** Jest's `testEnvironment` beside runtime.cjs: the process itself, which gets back what a test file changed about it. */
const { ModernFakeTimers } = require("@jest/fake-timers");
const { ModuleMocker } = require("jest-mock");

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const nodeFetch = globalThis.fetch;
// Node makes its dispatcher on the first request: before a library brings one of its own.
void nodeFetch("data:,");
const dispatcher = globalThis[DISPATCHER];
/** The connections of a test are Node's: those that the app makes the process's own are for HubSpot. */
const fetchAsNode = (input, init) => nodeFetch(input, { dispatcher, ...init });

module.exports = class ProcessEnvironment {
  #before = {
    variables: { ...process.env },
    exit: process.exit,
    console: globalThis.console,
    prepareStackTrace: Error.prepareStackTrace,
    stackTraceLimit: Error.stackTraceLimit,
  };

  constructor({ projectConfig }) {
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.fakeTimers = null;
  }

  /** Jest has just lengthened stack traces and put its source maps in the place of Node's: the app is to run as in production. */
  async setup() {
    globalThis.fetch = fetchAsNode;
    Error.prepareStackTrace = this.#before.prepareStackTrace;
    Error.stackTraceLimit = this.#before.stackTraceLimit;
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    const { variables, exit, console } = this.#before;
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
    process.exit = exit;
    globalThis.console = console;
  }

  exportConditions() {
    return ["node", "node-addons"];
  }

  getVmContext() {
    return null;
  }
};
