import { afterAll, beforeAll } from "@jest/globals";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createApiClient, giveKey, type ApiClient } from "./api-client.js";
import { until } from "./authorizing.js";
import type { ParsedBody } from "./simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "./start-app.js";

export let app: RunningApp;

export let portal: SimulatedPortal;

export let api: ApiClient;

/** The app for all tests of a file, with an account whose directory was read, and a key to its API. */
export function useImportsStage(): void {
  beforeAll(async () => {
    app = await startRunningApp({ workIntervals: { workImports: 100 } });
    portal = addPlainPortal(app.simulator);
    await app.install(portal);
    api = createApiClient(app.publicUrl, await giveKey(app.db.database, portal.portalId));
    await until(async () => {
      const { rows } = await app.db.database.pool.query("SELECT FROM sequences WHERE is_listed");
      return rows.length > 0;
    }, "the directory was not read");
  });

  afterAll(() => app.close());
}

/** Contacts owned by the user who may send, and their addresses. */
export function addContacts(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => {
    const email = `${name}${index}@lead.example`;
    portal.addContact({ properties: { email, hubspot_owner_id: [...portal.owners.keys()][0] ?? "" } });
    return email;
  });
}

const CSV = { "Content-Type": "text/csv" };

/** Sends a file as a program does; the answer holds the import. */
export const upload = (file: string | Uint8Array | ReadableStream, headers: Record<string, string> = CSV) =>
  api.ask("POST", "/api/v1/imports?name=Leads", { body: file, headers });

/** What a file's rows leave out: the account's first sequence, from the contact's owner. */
export const defaults = () => ({
  sequence: { id: [...portal.sequences.keys()][0] ?? "" },
  sender: { mode: "contact_owner" },
});

/** The import, once it has that status. */
export async function reach(id: string, status: string): Promise<ParsedBody> {
  let body: ParsedBody;
  await until(async () => {
    ({ body } = await api.get(`/api/v1/imports/${id}`));
    return body.status === status;
  }, `it did not come to ${status}`);
  return body;
}
