/**
 * Jest's `testEnvironment` for mutation testing, beside runtime.cjs: a fault is noticed by the first test that fails, so the
 * others of its file are skipped.
 */
const ProcessEnvironment = require("./environment.cjs");

function skipAll({ children }) {
  for (const child of children) {
    if (child.type === "test") child.mode = "skip";
    else skipAll(child);
  }
}

module.exports = class FirstFailureEnvironment extends ProcessEnvironment {
  handleTestEvent({ name, test }, { rootDescribeBlock }) {
    if (name === "test_done" && test.errors.length > 0) skipAll(rootDescribeBlock);
  }
};
