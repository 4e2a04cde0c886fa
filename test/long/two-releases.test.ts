import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { ensureBuilt, ROOT } from "../../bench/chaos/stage.js";
import { buildLastRelease, hasCommit, lastReleaseName, type LastRelease } from "../support/last-release.js";
import { setStage, writesOf, type ReleasesStage } from "../support/releases-stage.js";

const name = await lastReleaseName();
const isKnown = await hasCommit(name);
if (!isKnown) console.warn(`skipped: this clone does not hold ${name}, so no release ran beside this one`);

/** npm may have to install the older release's dependencies: a minute, and longer on a machine that is busy. */
const BUILT_WITHIN_MS = 420_000;
const WITHIN_MS = 170_000;
const PORTALS = 6;
const CONTACTS = 90;
const PER_SECOND = 4;

(isKnown ? describe : describe.skip)("the last release and this one on one database", () => {
  let last: LastRelease;
  let stage: ReleasesStage | undefined;

  beforeAll(async () => {
    last = await buildLastRelease(name);
    ensureBuilt();
  }, BUILT_WITHIN_MS);

  afterEach(() => stage?.close());
  afterAll(() => last.drop());

  test(
    "both accept and enroll, and nobody is lost, enrolled twice or turned away, upgrading or rolling back",
    async () => {
      stage = await setStage({ portals: PORTALS, contacts: CONTACTS });
      const before = await stage.make("before", last.folder);
      const after = await stage.make("after", ROOT);
      await before.process.start();
      await stage.install();
      expect(await stage.migrations()).toEqual(last.migrations);

      // The last release is at work while this one migrates; then both accept.
      const third = (which: number) => ({
        isMine: (place: number) => place % 3 === which,
        ratePerSecond: PER_SECOND,
      });
      const runs = [stage.send(before, third(0))];
      await stage.untilEnrolled(PORTALS);
      await after.process.start();
      expect((await stage.migrations()).length).toBeGreaterThan(last.migrations.length);
      runs.push(stage.send(after, third(1)));
      await Promise.all(runs.map(({ finished }) => finished));
      for (const release of [before, after]) expect(await writesOf(release)).toBeGreaterThan(PORTALS);

      // Back: this release leaves during work, and the last one takes over what it knows nothing of.
      runs.push(stage.send(before, third(2)));
      await stage.untilEnrolled(PORTALS * ((CONTACTS * 2) / 3 + 2));
      const ended = after.process.ended();
      after.process.signal("SIGTERM");
      expect(await ended).toMatchObject({ code: 0, signal: null });
      await Promise.all(runs.map(({ finished }) => finished));

      expect(runs.flatMap(({ statuses }) => statuses()).filter((status) => status !== 200)).toEqual([]);
      expect({ notOnce: stage.notOnce(), completed: stage.completed() }).toEqual({
        notOnce: [],
        completed: PORTALS * CONTACTS,
      });
    },
    WITHIN_MS,
  );
});
