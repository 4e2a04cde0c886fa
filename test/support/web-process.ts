import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createTestDatabase } from "./database.js";
import { freePort } from "./start-app.js";

/** The app as web process, on its own: whatever halts it, its caller goes on and can say so. */
export interface WebProcess {
  readonly port: number;
  readonly publicUrl: string;
  readonly clientSecret: string;
  /** Lines it logged, parsed, as far as they have been read. */
  readonly logLines: Record<string, unknown>[];
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export async function startWebProcess(): Promise<WebProcess> {
  const db = await createTestDatabase();
  const port = await freePort();
  const [publicUrl, clientSecret] = [`http://localhost:${port}`, randomBytes(16).toString("hex")];
  const child = spawn(process.execPath, ["--import", "tsx", MAIN], {
    env: {
      ...{ PATH: process.env["PATH"], NODE_ENV: "development", ROLE: "web", LOG_LEVEL: "info" },
      ...{ DATABASE_URL: db.url, PORT: String(port), PUBLIC_URL: publicUrl },
      ...{ HUBSPOT_CLIENT_ID: "client", HUBSPOT_CLIENT_SECRET: clientSecret, HUBSPOT_APP_ID: "170" },
      ...{ HUBSPOT_API_URL: "http://127.0.0.1:1", HUBSPOT_APP_URL: "http://127.0.0.1:1" },
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
      SESSION_SECRET: "a-session-secret-for-tests-only-0123456789",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const logLines: Record<string, unknown>[] = [];
  const listening = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      logLines.push(JSON.parse(line) as Record<string, unknown>);
      if (line.includes("Sequence Enroller is listening")) resolve();
    });
  });
  const gone = ended.then(() => {
    throw new Error(`the web process ended: ${JSON.stringify(logLines.at(-1))}`);
  });
  gone.catch(() => undefined);
  await Promise.race([listening, gone]);
  return {
    ...{ port, publicUrl, clientSecret, logLines },
    async close() {
      // Not asked to: it may hang.
      child.kill("SIGKILL");
      await ended;
      await db.drop();
    },
  };
}
