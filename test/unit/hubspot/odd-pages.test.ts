import { describe, expect, test } from "@jest/globals";
import { createPortalGateway } from "#platform/hubspot/gateway.js";

const user = { id: "7", email: "u@acme.example", superAdmin: true };
const gatewayOf = (body: unknown) => createPortalGateway(() => Promise.resolve(body));
const pageOf = (paging: unknown) => gatewayOf({ results: [user], paging }).listUsers({});

describe("a page of one of HubSpot's lists", () => {
  test.each<[string, unknown]>([
    ...[undefined, null, {}, [], ""].map((paging): [string, unknown] => ["", paging]),
    ...[null, {}, [], ""].map((next): [string, unknown] => ["", { next }]),
    ...[null, "", []].map((after): [string, unknown] => ["", { next: { after, link: null } }]),
  ])("is the last one%s with the paging %j", async (_, paging) => {
    expect(await pageOf(paging)).toMatchObject({ results: [{ id: 7n }], after: undefined });
    expect((await pageOf(paging)).isCut).not.toBe(true);
  });

  test.each([
    { next: { after: {} } },
    { next: { after: "x".repeat(2_001) } },
    { next: { link: "https://api.hubapi.com/next" } },
    { next: { cursor: "abc" } },
    { next: "abc" },
    { next: 5 },
    "abc",
    [{ after: "abc" }],
  ])("is kept and called cut with a next page we cannot ask for: %j", async (paging) => {
    expect(await pageOf(paging)).toMatchObject({ results: [{ id: 7n }], after: undefined, isCut: true });
  });

  test("goes on at a cursor, in digits or as a number", async () => {
    expect(await pageOf({ next: { after: "abc" } })).toMatchObject({ after: "abc" });
    expect(await pageOf({ next: { after: 100 } })).toMatchObject({ after: "100" });
  });

  test("offers no sequence that a step could not name, and no name of megabytes", async () => {
    const ids = ["1", 2, "", " 3", "-4", -5, 6.5, 1e30, "a", null, "9".repeat(21)];
    const results = ids.map((id) => ({ id, name: "n".repeat(2_000_000) }));
    const page = await gatewayOf({ results }).listSequences({ userId: 1n });
    expect(page.results.map(({ id, name }) => [id, name.length])).toEqual([
      ["1", 1_000],
      ["2", 1_000],
    ]);
    expect(page.leftOut).toHaveLength(ids.length - 2);
  });

  test("takes an owner of whom HubSpot does not say the type, or whether archived, for a person who is there", async () => {
    const results = [{ id: "1", userId: 11, email: "o@acme.example", type: null, archived: null }];
    const page = await gatewayOf({ results }).listOwners({ archived: false });
    expect(page.results).toMatchObject([{ id: "1", userId: 11n, type: "PERSON", archived: false }]);
  });

  test.each([null, undefined, "yes", 1])(
    "leaves out a user of whom it says %j for whether they administer, and keeps the others",
    async (superAdmin) => {
      const page = await gatewayOf({ results: [{ ...user, id: "8", superAdmin }, user] }).listUsers({});
      expect(page.results.map(({ id }) => id)).toEqual([7n]);
      expect(page.leftOut).toHaveLength(1);
    },
  );

  test("leaves out a sequence without a name, and keeps the others", async () => {
    const results = [
      { id: "1", name: null },
      { id: "2", name: "Inbound" },
    ];
    const page = await gatewayOf({ results }).listSequences({ userId: 1n });
    expect(page.results.map(({ id }) => id)).toEqual(["2"]);
    expect(page.leftOut).toHaveLength(1);
  });

  test.each([0, "0", "", null, undefined])("knows that the user %j is nobody", async (userId) => {
    const page = await gatewayOf({
      results: [
        { id: "1", userId },
        { id: "2", userId: 22 },
      ],
    }).listOwners({ archived: false });
    expect(page.results.map((owner) => [owner.id, owner.userId])).toEqual([
      ["1", null],
      ["2", 22n],
    ]);
    const users = await gatewayOf({ results: [{ ...user, id: userId }, user] }).listUsers({});
    expect(users.results.map(({ id }) => id)).toEqual([7n]);
  });
});
