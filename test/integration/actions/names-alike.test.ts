import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { SEQUENCE_OPTIONS_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("a dropdown of sequences with long names", () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startRunningApp();
  });

  afterAll(() => running.close());

  async function untilCopied(portalId: number): Promise<void> {
    const where = { portalId: BigInt(portalId) };
    while ((await running.db.database.prisma.portal.findUniqueOrThrow({ where })).directorySyncedAt === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test.each([
    ["alike in their first 300 characters", "x"],
    ["of characters that take the most room in a cursor", "\u0001"],
    ["of signs beyond the basic plane", "🚀"],
  ])("offers all of them, %s, page after page, each once", async (_what, character) => {
    const portal = addPlainPortal(running.simulator);
    await running.install(portal);
    await untilCopied(portal.portalId);
    await running.db.database.pool.query(`DELETE FROM sequences WHERE portal_id = $1`, [portal.portalId]);
    await running.db.database.pool.query(
      `INSERT INTO sequences (portal_id, sequence_id, name, is_listed)
         SELECT $1, 'n' || n, repeat($2, 300) || n, true FROM generate_series(1, 120) AS n`,
      [portal.portalId, character],
    );
    const seen: string[] = [];
    for (let after: string | undefined, page = 0; page < 3; page += 1) {
      const answer = await portal.fetchOptions({
        optionsUrl: running.publicUrl + SEQUENCE_OPTIONS_ROUTE,
        inputFieldName: "sequence_id",
        ...(after === undefined ? {} : { after }),
      });
      seen.push(...answer.options.map(({ value }) => value));
      after = answer.after;
      expect([page, answer.options.length, after === undefined]).toEqual([
        page,
        page === 2 ? 20 : 50,
        page === 2,
      ]);
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 120 }, (_, index) => `n${index + 1}`).toSorted());
  });
});
