/** Jest wants plain JavaScript here; the work is in database-server.ts. */
export default async function setUp() {
  const { startRunDatabase } = await import("./database-server.ts");
  const run = await startRunDatabase();
  process.env.TEST_DATABASE_SERVER_URL = run.serverUrl;
  process.env.TEST_DATABASE_PREFIX = run.prefix;
  process.env.TEST_DATABASE_STOCK = run.stockDir;
  process.env.TEST_DATABASE_SHAPE = run.shape;
  globalThis.runDatabase = run;
  // Jest skips its teardown on these; the server must not outlive the run even then.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ]) {
    process.once(signal, () => void run.stop().finally(() => process.exit(code)));
  }
}
