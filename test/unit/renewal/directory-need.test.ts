import { describe, expect, test } from "@jest/globals";
import type { DirectoryState } from "#domain/directory/directory-state.js";
import { directoryNeed } from "#worker/renewal/sync-directory.js";

const NOW = new Date("2026-11-26T12:00:00Z");
const MINUTE = 60_000;
const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * MINUTE);

function need(given: Partial<DirectoryState>, isAtWork = true) {
  const state: DirectoryState = {
    requestedAt: null,
    syncedAt: null,
    usersRequestedAt: null,
    usersReadAt: null,
    now: NOW,
    ...given,
  };
  return directoryNeed(state, () => Promise.resolve(isAtWork));
}

describe("what an account's copy of its people and sequences needs", () => {
  test.each<[what: string, given: Partial<DirectoryState>, expected: string]>([
    ["there is none yet", {}, "first"],
    ["it is ten minutes old", { syncedAt: ago(10) }, "none"],
    ["it is older than ten minutes", { syncedAt: ago(11) }, "fresh"],
    ["it is an hour old", { syncedAt: ago(60) }, "fresh"],
    ["it is older than an hour", { syncedAt: ago(61) }, "old"],
    ["one was asked for since", { syncedAt: ago(5), requestedAt: ago(4) }, "fresh"],
    ["the one asked for was made", { syncedAt: ago(4), requestedAt: ago(5) }, "none"],
    ["it was begun at the very moment one was asked for", { syncedAt: ago(5), requestedAt: ago(5) }, "none"],
    ["it was made by a clock that was ahead", { syncedAt: ago(-5) }, "fresh"],
    ["the last try failed", { syncedAt: ago(61), requestedAt: ago(-20) }, "none"],
    ["the first try failed", { requestedAt: ago(-1) }, "none"],
    ["the next try is farther away than any of ours", { syncedAt: ago(61), requestedAt: ago(-21) }, "old"],
    ["the next try is due now", { syncedAt: ago(61), requestedAt: NOW }, "old"],
  ])("if %s", async (_what, given, expected) => {
    expect(await need(given)).toBe(expected);
  });

  test("of an account that is gone nothing", async () => {
    expect(await directoryNeed(undefined)).toBe("none");
  });
});

describe("the list of users, asked for by itself,", () => {
  const fresh = { syncedAt: ago(5) };
  const asked = { usersRequestedAt: ago(4), usersReadAt: ago(5) };

  test.each<[what: string, given: Partial<DirectoryState>, expected: string]>([
    ["is read alone if the rest is fresh", { ...fresh, ...asked }, "users"],
    ["is read if it never was", { ...fresh, usersRequestedAt: ago(4) }, "users"],
    ["is not read again", { ...fresh, usersRequestedAt: ago(5), usersReadAt: ago(4) }, "none"],
    ["is put off after a failure", { ...fresh, ...asked, usersRequestedAt: ago(-5) }, "none"],
    ["comes with the rest if that is old", { syncedAt: ago(61), ...asked }, "old"],
    ["comes with the rest if that was asked for", { ...fresh, requestedAt: ago(1), ...asked }, "fresh"],
    ["comes with the first copy", { ...asked }, "first"],
  ])("%s", async (_what, given, expected) => {
    expect(await need(given)).toBe(expected);
  });

  test("is all that is read of an account at rest, unless somebody asked for the rest, too", async () => {
    expect(await need({ syncedAt: ago(61), ...asked }, false)).toBe("users");
    expect(await need({ ...asked }, false)).toBe("first");
    expect(await need({ ...fresh, requestedAt: ago(1), ...asked }, false)).toBe("fresh");
    expect(await need({ syncedAt: ago(61) }, false)).toBe("old");
  });
});
