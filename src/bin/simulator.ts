import { parseArgs } from "node:util";
import { startSimulator } from "../simulator/simulator.js";

/**
 * Runs the HubSpot simulator on its own, for offline development, benchmarks and chaos runs:
 *
 *     simulator --port 4010 --app-url http://localhost:3000 --contacts 300
 *
 * Unset flags fall back to the variables in `DEFAULTS`, the app's own if it has them. Scopes are separated by spaces;
 * without any the app may ask for whatever it likes. Steer the simulator under `/_simulator/`.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string" },
    "client-id": { type: "string" },
    "client-secret": { type: "string" },
    "app-id": { type: "string" },
    "app-url": { type: "string" },
    contacts: { type: "string" },
    seed: { type: "string" },
    latency: { type: "string" },
    "required-scopes": { type: "string" },
    "optional-scopes": { type: "string" },
    "no-rate-limit": { type: "boolean" },
  },
});

const DEFAULTS = {
  port: process.env["SIMULATOR_PORT"] ?? "4010",
  clientId: process.env["HUBSPOT_CLIENT_ID"] ?? "simulated-client-id",
  clientSecret: process.env["HUBSPOT_CLIENT_SECRET"] ?? "simulated-client-secret",
  appId: process.env["HUBSPOT_APP_ID"] ?? "424242",
  appUrl: process.env["PUBLIC_URL"] ?? "http://localhost:3000",
} as const;

const appUrl = (values["app-url"] ?? DEFAULTS.appUrl).replace(/\/$/, "");
const simulator = await startSimulator({
  port: Number(values.port ?? DEFAULTS.port),
  clientId: values["client-id"] ?? DEFAULTS.clientId,
  clientSecrets: (values["client-secret"] ?? DEFAULTS.clientSecret).split(",").map((secret) => secret.trim()),
  appId: values["app-id"] ?? DEFAULTS.appId,
  redirectUris: [`${appUrl}/oauth/callback`],
  requiredScopes: words(values["required-scopes"]),
  optionalScopes: words(values["optional-scopes"]),
  seed: Number(values.seed ?? 1),
  latencyMs: Number(values.latency ?? 0),
  ...(values["no-rate-limit"] === true ? { rateLimit: false as const } : {}),
});
const portal = simulator.addPortal({
  contacts: Number(values.contacts ?? 300),
  uiDomain: new URL(simulator.url).host,
});

console.log(`Simulated HubSpot   ${simulator.url}   (set HUBSPOT_API_URL and HUBSPOT_APP_URL to it)`);
console.log(
  `Portal              ${portal.portalId}, ${portal.contacts.size} contacts, ${portal.sequences.size} sequences`,
);
console.log(`Install the app     ${appUrl}/oauth/install`);
console.log(`Controls            ${simulator.url}/_simulator/state`);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void simulator.close());

function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}
