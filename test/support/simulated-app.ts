import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import type { SimulatorOptions } from "../../src/simulator/world/options.js";

/** A parsed body, which tests look into freely: what it should hold is what they check. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type ParsedBody = any;

/** The app as the simulator's own tests know it: credentials, scopes and a redirect URL. */
export const SIMULATED_APP = {
  clientId: "11111111-aaaa-4bbb-8ccc-222222222222",
  clientSecrets: ["first-secret", "older-secret"],
  appId: "424242",
  redirectUris: ["http://localhost:3000/oauth/callback"],
  requiredScopes: [
    "oauth",
    "automation",
    "automation.sequences.read",
    "automation.sequences.enrollments.write",
    "crm.objects.contacts.read",
    "crm.objects.owners.read",
  ],
  optionalScopes: ["settings.users.read", "communication_preferences.read"],
} as const;

export function startSimulatorForTest(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  return startSimulator({ ...SIMULATED_APP, ...options });
}

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Listener {
  readonly url: string;
  readonly received: ReceivedRequest[];
  close(): Promise<void>;
}

/** A few lines standing for the app: keeps what arrives and answers as told (a number is a status without a body). */
export async function startListener(
  answer: (
    request: ReceivedRequest,
    index: number,
  ) => number | { status?: number; headers?: Record<string, string>; body: unknown },
): Promise<Listener> {
  const received: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const entry = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      received.push(entry);
      const decided = answer(entry, received.length - 1);
      if (decided === 0) return request.socket.destroy();
      if (typeof decided === "number") return response.writeHead(decided).end();
      response.writeHead(decided.status ?? 200, { "content-type": "application/json", ...decided.headers });
      return response.end(JSON.stringify(decided.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
