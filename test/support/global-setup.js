import { tsImport } from "tsx/esm/api";

/** Jest loads this outside its own transform, hence plain JavaScript; the work is in database-server.ts. */
export default async function setUp() {
  const { startRunDatabase } = await tsImport("./database-server.ts", import.meta.url);
  const run = await startRunDatabase();
  process.env.TEST_DATABASE_SERVER_URL = run.serverUrl;
  process.env.TEST_DATABASE_PREFIX = run.prefix;
  process.env.TEST_DATABASE_STOCK = run.stockDir;
  process.env.TEST_DATABASE_SHAPE = run.shape;
  globalThis.runDatabase = run;
  // Jest skips its teardown on these; the server must not outlive the run all the same.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ]) {
    process.once(signal, () => void run.stop().finally(() => process.exit(code)));
  }
}
