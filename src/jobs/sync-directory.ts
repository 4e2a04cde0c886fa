import type { Directory } from "../directory/directory.js";
import type { Page, PortalGateway } from "../hubspot/gateway.js";
import { HubSpotRejected } from "../hubspot/errors.js";

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

/** Runs one part of the sync; a refusal (missing scope, seat or permission) leaves what we had and is told. */
async function part(name: string, work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (fault) {
    if (!(fault instanceof HubSpotRejected)) throw fault;
    return [`${name}: ${fault.hubspotMessage}`];
  }
}

/**
 * Copies a portal's sequences, owners, users and account details from HubSpot. Costs one request per 100 entries of
 * each. Outages are thrown and the sync is tried again; refusals are recorded for the settings page.
 */
export async function syncDirectory(
  portalId: bigint,
  { directory, gateway }: { directory: Directory; gateway: PortalGateway },
): Promise<void> {
  const before = await directory.state(portalId);
  if (before === undefined) return;
  const startedAt = before.now;
  let { readerUserId } = before;
  const problems = [
    ...(await part("Owners", async () => {
      const archived = await readAll((after) => gateway.listOwners({ after, archived: true }));
      const active = await readAll((after) => gateway.listOwners({ after, archived: false }));
      const owners = new Map([...archived, ...active].map((owner) => [owner.id, owner]));
      await directory.saveOwners(portalId, [...owners.values()], { isComplete: true });
      readerUserId ??= active.find(({ userId }) => userId !== null)?.userId ?? null;
    })),
    ...(await part("Sequences", async () => {
      const userId = readerUserId;
      if (userId === null) return;
      const sequences = await readAll((after) => gateway.listSequences({ userId, after }));
      await directory.saveSequences(portalId, sequences, { isComplete: true });
    })),
    ...(await part("Account", async () => {
      await directory.saveAccount(portalId, await gateway.readAccount());
    })),
  ];
  // settings.users.read is optional: without it the owners serve, and that is no problem to tell anyone of.
  await part("Users", async () => {
    await directory.saveUsers(portalId, await readAll((after) => gateway.listUsers({ after })));
  });
  await directory.markSynced(portalId, startedAt, problems.length === 0 ? null : problems.join(" "));
}
