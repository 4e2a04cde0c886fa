import { createBrowser } from "../../src/bin/oauth-browser.js";
import type { Endpoint } from "../../src/simulator/world/faults.js";

/** What the simulated HubSpot saw of one portal. */
export interface PortalTraffic {
  readonly portalId: number;
  /** Requests that count against the limit. */
  readonly counted: number;
  /** 429s the app brought on itself. */
  readonly throttled: number;
  readonly peakInWindow: number;
  readonly enrollments: number;
  /** Requests by endpoint family. */
  readonly byEndpoint: Readonly<Record<string, number>>;
  readonly firstAtMs: number | undefined;
  readonly lastAtMs: number | undefined;
}

interface PortalState {
  readonly portalId: number;
  readonly enrollments: number;
  readonly traffic: {
    counted: number;
    throttled: number;
    peakInWindow: number;
    byEndpoint: Record<string, { requests: number }>;
    firstAtMs?: number;
    lastAtMs?: number;
  };
}

/** Steers and asks the simulator process over its control API. */
export interface SimulatorClient {
  readonly url: string;
  /** Adds a portal with one user, who can send, one sequence, and `contacts` contacts from id 1001 on. */
  addPortal(portalId: number, contacts: number): Promise<void>;
  /** Installs the app into the portal by the real OAuth round trip. */
  install(portalId: number, publicUrl: string): Promise<void>;
  traffic(portalId: number): Promise<PortalTraffic>;
  allTraffic(): Promise<PortalTraffic[]>;
  setLatency(latencyMs: number): Promise<void>;
  /** From now on no request of the portal, to any of these endpoints, is answered; each connection stays open. */
  hang(portalId: number, endpoints: readonly Endpoint[]): Promise<void>;
}

/** The owner every simulated contact has, and the only sequence: the seeds of the simulator are fixed. */
export const OWNER_ID = "77120001";
export const SEQUENCE_ID = "300000001";
export const FIRST_CONTACT = 1001;
/** More requests than any measurement makes. */
const WITHOUT_END = 1_000_000;

export function createSimulatorClient(url: string): SimulatorClient {
  async function control(method: "GET" | "POST" | "PUT", path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/_simulator${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`the simulator refused ${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  return {
    url,
    async addPortal(portalId, contacts) {
      await control("POST", "/portals", { portalId, users: 1, sequences: 1, contacts });
    },
    async install(portalId, publicUrl) {
      await control("PUT", "/auto-consent", { portalId });
      const browser = createBrowser();
      let location: string | undefined = `${publicUrl}/oauth/install`;
      for (let hops = 0; location !== undefined && hops < 3; hops += 1) {
        ({ location } = await browser.open(location));
      }
      if (location?.startsWith(`${publicUrl}/settings`) !== true)
        throw new Error(`portal ${portalId} could not be installed: ended at ${location}`);
    },
    traffic: async (portalId) => toTraffic((await control("GET", `/portals/${portalId}`)) as PortalState),
    async allTraffic() {
      const { portals } = (await control("GET", "/state")) as { portals: PortalState[] };
      return portals.map(toTraffic);
    },
    async setLatency(latencyMs) {
      await control("PUT", "/latency", { latencyMs });
    },
    async hang(portalId, endpoints) {
      for (const endpoint of endpoints)
        await control("POST", "/failures", { portalId, endpoint, fault: "hangBefore", times: WITHOUT_END });
    },
  };
}

function toTraffic({ portalId, enrollments, traffic }: PortalState): PortalTraffic {
  return {
    portalId,
    enrollments,
    counted: traffic.counted,
    throttled: traffic.throttled,
    peakInWindow: traffic.peakInWindow,
    byEndpoint: Object.fromEntries(
      Object.entries(traffic.byEndpoint).map(([endpoint, { requests }]) => [endpoint, requests]),
    ),
    firstAtMs: traffic.firstAtMs,
    lastAtMs: traffic.lastAtMs,
  };
}
