import { setTimeout as sleep } from "node:timers/promises";
import { FIRST_CONTACT } from "../rig/simulator-client.js";
import type { App } from "../rig/rig.js";

const LOOK_MS = 250;
const TIMEOUT_MS = 900_000;

/** One row in twenty is a contact whom HubSpot has; it is asked about the others, a hundred in a request. */
export const KNOWN_EVERY = 20;

/** A file that is made as it is sent. @param knownFrom place of its first contact among HubSpot's */
function fileOf({ rows, run, knownFrom }: FileDraft): ReadableStream<Uint8Array> {
  let row = 0;
  return new ReadableStream({
    pull(controller) {
      if (row === 0) controller.enqueue(Buffer.from("HubSpot id,Email,Name,Company\n"));
      const upTo = Math.min(rows, row + 500);
      let text = "";
      for (; row < upTo; row += 1) {
        const place = row / KNOWN_EVERY;
        const whom = Number.isInteger(place)
          ? `${FIRST_CONTACT + knownFrom + place},`
          : `,lead${run}-${row}@lead.example`;
        text += `${whom},Ada Brandt ${row},Acme GmbH\n`;
      }
      controller.enqueue(Buffer.from(text));
      if (row === rows) controller.close();
    },
  });
}

export interface FileDraft {
  readonly rows: number;
  readonly run: number;
  readonly knownFrom: number;
}

/** Rows a second of each, and the process's memory at each share of the rows handled, in MiB. */
export interface Rates {
  readonly upload: number;
  readonly check: number;
  readonly run: number;
  readonly memory: readonly number[];
}

/** Shares of the rows. */
const MARKS = [0.1, 0.5, 1] as const;

/**
 * Uploads a file, has all of its rows tried, then run, and reads the results to their end.
 *
 * @throws Error unless each row was handled once.
 */
export async function importFile(
  { app, key, sequenceId }: { app: Pick<App, "url" | "memoryMb">; key: string; sequenceId: string },
  draft: FileDraft,
): Promise<Rates> {
  const { rows } = draft;
  const at = `${app.url}/api/v1/imports`;
  const headers = { Authorization: `Bearer ${key}` };
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(at + path, { ...init, headers: { ...headers, ...init.headers } });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const memory: number[] = [];
  const reach = async (id: string, wanted: string, marks: readonly number[] = []): Promise<Counts> => {
    for (const giveUpAt = performance.now() + TIMEOUT_MS; ; await sleep(LOOK_MS)) {
      const { status, counts } = (await (await ask(`/${id}`, {})).json()) as {
        status: string;
        counts: Counts;
      };
      const passed = marks.filter((mark) => counts.handled >= mark * rows).length;
      while (memory.length < passed) memory.push(await app.memoryMb());
      if (status === wanted) return counts;
      if (performance.now() > giveUpAt)
        throw new Error(`the import is still ${status}: ${JSON.stringify(counts)}`);
    }
  };
  const type = { "Content-Type": "text/csv" };
  const from = performance.now();
  const upload = { method: "POST", headers: type, body: fileOf(draft), duplex: "half" };
  const made = await ask("?name=Bench", upload);
  const { id } = (await made.json()) as { id: string };
  const uploadedAt = performance.now();
  const mapping = { contactId: "HubSpot id", email: "Email" };
  const defaults = { sequence: { id: sequenceId }, sender: { mode: "contact_owner" } };
  await ask(`/${id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ mapping, defaults }),
  });
  await ask(`/${id}/dry-run`, { method: "POST" });
  await reach(id, "CHECKED");
  const checkedAt = performance.now();
  await ask(`/${id}/start`, { method: "POST" });
  const counts = await reach(id, "DONE", MARKS);
  const doneAt = performance.now();
  const enrolled = Math.ceil(rows / KNOWN_EVERY);
  if (counts.handled !== rows || counts.enrolled !== enrolled || counts.failed !== rows - enrolled)
    throw new Error(`not every row was handled once: ${JSON.stringify(counts)}`);
  await (await ask(`/${id}/results.csv`, {})).body?.pipeTo(new WritableStream());
  const rate = (begun: number, ended: number): number => (rows * 1_000) / (ended - begun);
  return {
    upload: rate(from, uploadedAt),
    check: rate(uploadedAt, checkedAt),
    run: rate(checkedAt, doneAt),
    memory,
  };
}

interface Counts {
  readonly handled: number;
  readonly enrolled: number;
  readonly failed: number;
}
