import { describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { createDirectory } from "#domain/directory/directory.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { DirectoryKeeper, directoryNeed } from "#worker/renewal/sync-directory.js";
import {
  acquire,
  activeOwners,
  begin,
  count,
  gatewayOf,
  ownerOf,
  pageOf,
  pool,
  portalId,
  problem,
  renew,
  useDirectoryCopies,
} from "../../support/directory-copies.js";

useDirectoryCopies();

describe("a copy of long lists", () => {
  test("that is cut at the limit archives nobody, and says so", async () => {
    const { copy } = await acquire();
    await renew(copy, gatewayOf(450));
    await renew(copy, gatewayOf(450), 3);
    expect(await activeOwners()).toBe(450);
    expect(await count("sequences WHERE portal_id = $1 AND is_listed")).toBe(450);
    expect(await problem()).toContain("Owners: Only the first 300 entries");
    expect(await problem()).toContain("Users: Only the first 300 entries");
  });

  test.each([
    ["repeats its cursor", (after: string | undefined) => after ?? "1"],
    ["goes round in a circle", (after: string | undefined) => (after === "1" ? "2" : "1")],
  ])("whose list %s comes to an end, archives nobody, and says so", async (_, nextOf) => {
    const { copy } = await acquire();
    await renew(copy, gatewayOf(150));
    const listSequences: PortalGateway["listSequences"] = ({ after }) =>
      Promise.resolve({
        results: [{ id: "7", name: "Seven", folderId: null }],
        after: nextOf(after),
        leftOut: [],
      });
    await renew(copy, gatewayOf(150, { listSequences }));
    expect(await count("sequences WHERE portal_id = $1 AND is_listed")).toBe(150);
    expect(await problem()).toContain("Sequences: HubSpot's list repeats itself");
  });

  test("whose list names a next page in another form keeps what is there, archives nobody, and says so", async () => {
    const { copy } = await acquire();
    await renew(copy, gatewayOf(150));
    const results = [ownerOf(7)];
    const listOwners: PortalGateway["listOwners"] = ({ archived }) =>
      Promise.resolve(
        archived
          ? { results: [], after: undefined, isCut: true, leftOut: [] }
          : { results, after: undefined, leftOut: [] },
      );
    await renew(copy, gatewayOf(150, { listOwners }));
    expect(await activeOwners()).toBe(150);
    expect(await problem()).toContain("Owners: HubSpot names a next page in a form that we do not know");
  });

  test("writes only what changed", async () => {
    const { copy } = await acquire();
    await renew(copy, gatewayOf(120));
    const rows = async () =>
      (
        await pool().query(`SELECT owner_id, xmin::text FROM owners WHERE portal_id = $1 ORDER BY owner_id`, [
          portalId,
        ])
      ).rows;
    const before = await rows();
    await renew(copy, gatewayOf(120));
    expect(await rows()).toEqual(before);
  });

  test("archives whoever is no longer listed, but not those who were read one by one since it began", async () => {
    const { copy } = await acquire();
    await renew(copy, gatewayOf(3));
    const renewal = await begin();
    const gateway = gatewayOf(1);
    await renewal.step({ gateway, copy });
    await copy.confirmOwner(ownerOf(3));
    await copy.confirmOwner(ownerOf(9));
    while (!renewal.isRead) await renewal.step({ gateway, copy });
    const { rows } = await pool().query(
      `SELECT owner_id FROM owners WHERE portal_id = $1 AND NOT is_archived ORDER BY owner_id`,
      [portalId],
    );
    expect(rows.map(({ owner_id: id }) => id as string)).toEqual(["1", "3", "9"]);
  });
});

describe("an owner of the portal that was replaced while it read", () => {
  test("writes nothing of the copy, archives nobody, and learns of it", async () => {
    const old = await acquire();
    await renew(old.copy, gatewayOf(2));
    const renewal = await begin();
    const successor = await acquire();
    await successor.copy.confirmOwner(ownerOf(5));
    const step = renewal.step({ gateway: gatewayOf(1), copy: old.copy });
    await expect(step).rejects.toMatchObject({ code: "LEASE_LOST" });
    const none: readonly boolean[] = [
      await old.copy.owners.save([ownerOf(7)]),
      await old.copy.owners.retireOthers([], new Date(Date.now() + 60_000)),
      await old.copy.sequences.save([{ id: "7", name: "Seven" }]),
      await old.copy.sequences.retireOthers([], new Date(Date.now() + 60_000)),
      await old.copy.users.retireOthers([], new Date(Date.now() + 60_000)),
      await old.copy.confirmOwner(ownerOf(1, true)),
      await old.copy.saveAccount({ timeZone: "Europe/Vienna", uiDomain: null }),
      await old.copy.markSynced(new Date(), { problem: "old", report: { readers: [], leftOut: {} } }),
      await old.copy.postponeSync(60_000),
    ];
    expect(none.every((isOurs) => !isOurs)).toBe(true);
    expect(await activeOwners()).toBe(3);
    expect(await count("sequences WHERE portal_id = $1 AND is_listed")).toBe(2);
    expect(await count("users WHERE portal_id = $1 AND is_listed")).toBe(2);
    expect(await problem()).toBeNull();
    // The successor goes on with the very page that could not be written.
    while (!renewal.isRead) await renewal.step({ gateway: gatewayOf(1), copy: successor.copy });
    expect(await activeOwners()).toBe(2);
  });
});

describe("what a portal's directory needs", () => {
  const directory = () => createDirectory({ pool: pool() });
  const need = async () => directoryNeed(await directory().state(portalId));
  const set = (synced: string, requested: string) =>
    pool().query(
      `UPDATE portals SET directory_synced_at = ${synced}, directory_requested_at = ${requested} WHERE portal_id = $1`,
      [portalId],
    );

  const INSTANTS = {
    never: "NULL",
    justNow: "now() - interval '1 second'",
    aMinuteAgo: "now() - interval '1 minute'",
    elevenMinutesAgo: "now() - interval '11 minutes'",
    twoHoursAgo: "now() - interval '2 hours'",
    inFiveMinutes: "now() + interval '5 minutes'",
    inThreeYears: "now() + interval '3 years'",
  };
  test.each([
    { because: "there is none", made: "never", asked: "never", expected: "first" },
    { because: "it is fresh", made: "aMinuteAgo", asked: "never", expected: "none" },
    { because: "it is a little old", made: "elevenMinutesAgo", asked: "never", expected: "fresh" },
    { because: "it is old", made: "twoHoursAgo", asked: "never", expected: "old" },
    { because: "one was asked for since", made: "aMinuteAgo", asked: "justNow", expected: "fresh" },
    {
      because: "the last attempt failed",
      made: "elevenMinutesAgo",
      asked: "inFiveMinutes",
      expected: "none",
    },
    {
      because: "a clock was ahead when it was made",
      made: "inThreeYears",
      asked: "never",
      expected: "fresh",
    },
    {
      because: "a clock was ahead as it was asked for",
      made: "aMinuteAgo",
      asked: "inThreeYears",
      expected: "fresh",
    },
  ] as const)("$expected, because $because", async ({ made, asked, expected }) => {
    await set(INSTANTS[made], INSTANTS[asked]);
    expect(await need()).toBe(expected);
  });

  test("a copy that is requested while one is made is made right after it", async () => {
    const { owner } = await acquire();
    await set("now() - interval '11 minutes'", "NULL");
    let copies = 0;
    const readAccount = async () => {
      copies += 1;
      if (copies === 1) expect(await directory().requestSync(portalId, { minAgeMs: 60_000 })).toBe(true);
      return { timeZone: "UTC", uiDomain: null };
    };
    const keeper = new DirectoryKeeper({ directory: directory(), logger: pino({ level: "silent" }) });
    await keeper.keep({
      owner,
      need: "fresh",
      gateway: gatewayOf(5, { readAccount }),
      budget: { limit: 110, windowMs: 10_000 },
      mayGoOn: () => true,
    });
    expect(copies).toBe(2);
    expect(await need()).toBe("none");
  });

  test("a renewal that its turn could not finish continues in the next one where it stopped", async () => {
    await set("now() - interval '11 minutes'", "NULL");
    const keeper = new DirectoryKeeper({ directory: directory(), logger: pino({ level: "silent" }) });
    const pages: (string | undefined)[] = [];
    const listSequences: PortalGateway["listSequences"] = ({ after, userId }) => {
      if (userId === 1n) pages.push(after);
      return pageOf(500, after, (number) => ({ id: String(number), name: `S ${number}`, folderId: null }));
    };
    const gateway = gatewayOf(100, { listSequences });
    const budget = { limit: 110, windowMs: 10_000 };
    for (let turns = 1; (await need()) === "fresh"; turns += 1) {
      const { owner } = await acquire();
      const mayGoOn = () => pages.length < 2 * turns;
      await keeper.keep({ owner, need: "fresh", gateway, budget, mayGoOn });
    }
    expect(pages).toEqual([undefined, "100", "200", "300", "400"]);
  });
});
