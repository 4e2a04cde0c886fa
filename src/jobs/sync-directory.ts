import type { Directory } from "../directory/directory.js";
import type { Page, PortalGateway } from "../hubspot/gateway.js";
import { HubSpotRejected, HubSpotUnavailable } from "../hubspot/errors.js";

/** A directory this old is renewed the next time its portal has work. */
const MAX_AGE_MS = 10 * 60_000;
/** Bounds a list that never ends: 100 entries a page. */
const MAX_PAGES = 200;

/** Every entry of a list, each once: a list that changes while it is paged through may show one twice. */
async function readAll<T extends { id: unknown }>(
  readPage: (after: string | undefined) => Promise<Page<T>>,
): Promise<T[]> {
  const all = new Map<unknown, T>();
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await readPage(after);
    page.results.forEach((entry) => all.set(entry.id, entry));
    after = page.after;
    if (after === undefined) break;
  }
  return [...all.values()];
}

/** Whether the portal has no directory yet, needs a fresh one (asked for, or too old), or neither. */
export async function directoryNeed(
  directory: Directory,
  portalId: bigint,
): Promise<"first" | "fresh" | "none"> {
  const state = await directory.state(portalId);
  if (state === undefined) return "none";
  const { requestedAt, syncedAt, now } = state;
  // After a failed sync the next one is asked for at a later instant.
  if (requestedAt !== null && requestedAt > now) return "none";
  if (syncedAt === null) return "first";
  const isAsked = requestedAt !== null && requestedAt > syncedAt;
  return isAsked || now.getTime() - syncedAt.getTime() > MAX_AGE_MS ? "fresh" : "none";
}

/** What became of one list. `refusal`: a missing scope, seat or permission; `outage`: to be read again soon. */
interface Part {
  readonly name: string;
  readonly refusal?: HubSpotRejected;
  readonly outage?: HubSpotUnavailable;
}

/** Reads one list. One that cannot be had leaves what we had of it, and the others are read all the same. */
async function part(name: string, work: () => Promise<void>): Promise<Part> {
  try {
    await work();
    return { name };
  } catch (fault) {
    if (fault instanceof HubSpotRejected) return { name, refusal: fault };
    if (fault instanceof HubSpotUnavailable) return { name, outage: fault };
    throw fault;
  }
}

function describeProblems(parts: readonly Part[]): string | null {
  const problems = parts.flatMap(({ name, refusal, outage }) => {
    const words = refusal?.hubspotMessage ?? outage?.message;
    return words === undefined ? [] : [`${name}: ${words}`];
  });
  return problems.length === 0 ? null : problems.join(" ");
}

/**
 * Copies a portal's sequences, owners, users and account details from HubSpot. Costs one request per 100 entries of
 * each. What could be read is kept, and counts as a copy; what could not is recorded for the settings page.
 *
 * @returns whether all of it could be read, or HubSpot refused it; otherwise it is worth trying again soon.
 * @throws HubSpotUnavailable where nothing at all could be read.
 */
export async function syncDirectory(
  portalId: bigint,
  { directory, gateway }: { directory: Directory; gateway: PortalGateway },
): Promise<{ isComplete: boolean }> {
  const before = await directory.state(portalId);
  if (before === undefined) return { isComplete: true };
  const startedAt = before.now;
  let { readerUserId } = before;
  const required = [
    await part("Owners", async () => {
      const archived = await readAll((after) => gateway.listOwners({ after, archived: true }));
      const active = await readAll((after) => gateway.listOwners({ after, archived: false }));
      const owners = new Map([...archived, ...active].map((owner) => [owner.id, owner]));
      await directory.saveOwners(portalId, [...owners.values()], { isComplete: true });
      readerUserId ??= active.find(({ userId }) => userId !== null)?.userId ?? null;
    }),
  ];
  const reader = readerUserId;
  if (reader !== null) {
    required.push(
      await part("Sequences", async () => {
        const sequences = await readAll((after) => gateway.listSequences({ userId: reader, after }));
        await directory.saveSequences(portalId, sequences, { isComplete: true });
      }),
    );
  }
  required.push(
    await part("Account", async () => {
      await directory.saveAccount(portalId, await gateway.readAccount());
    }),
  );
  // settings.users.read is optional: without it the owners serve, and that is no problem to tell anyone of.
  const users = await part("Users", async () => {
    await directory.saveUsers(portalId, await readAll((after) => gateway.listUsers({ after })));
  });
  const outages = [...required, users].flatMap(({ outage }) => outage ?? []);
  if (outages[0] !== undefined && outages.length === required.length + 1) throw outages[0];
  await directory.markSynced(portalId, startedAt, describeProblems(required));
  return { isComplete: outages.length === 0 };
}
