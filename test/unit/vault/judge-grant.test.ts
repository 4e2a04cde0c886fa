import { describe, expect, test } from "@jest/globals";
import { judgeGrant, type GrantVerdict } from "#domain/vault/judge-grant.js";

const OCCASIONS = ["install", "sign-in"] as const;
const CONNECTED = { isConnected: true, isDisconnectedByAdmin: false, scopes: ["oauth", "users"] };
const ENDED_BY_HUBSPOT = { ...CONNECTED, isConnected: false };
const ENDED_BY_ADMIN = { ...ENDED_BY_HUBSPOT, isDisconnectedByAdmin: true };

describe("a grant of somebody without rights", () => {
  test.each([
    [CONNECTED, "keep"],
    [ENDED_BY_HUBSPOT, "leave"],
    [ENDED_BY_ADMIN, "leave"],
  ] as const)("changes nothing of %j, by whatever door it comes", (known, verdict) => {
    for (const occasion of OCCASIONS)
      for (const scopes of [["oauth"], ["oauth", "users"], ["oauth", "users", "more"]])
        expect(judgeGrant(known, { occasion, scopes, isAdmins: false })).toBe(verdict);
  });
});

describe("a grant of an admin", () => {
  const verdict = (known: typeof CONNECTED, occasion: "install" | "sign-in", scopes = known.scopes) =>
    judgeGrant(known, { occasion, scopes, isAdmins: true });

  test("is taken by an install, whatever was before", () => {
    for (const known of [CONNECTED, ENDED_BY_HUBSPOT, ENDED_BY_ADMIN])
      expect(verdict(known, "install", ["oauth"])).toBe("take");
  });

  test.each<[string[], GrantVerdict]>([
    [["oauth"], "keep"],
    [["oauth", "users"], "keep"],
    [["oauth", "more"], "keep"],
    [["users", "oauth", "more"], "use"],
  ])("with the scopes %j of a sign-in to a connected account is: %s", (scopes, expected) => {
    expect(verdict(CONNECTED, "sign-in", scopes)).toBe(expected);
  });

  test("brings back by a sign-in what HubSpot ended, and not what an admin did", () => {
    expect(verdict(ENDED_BY_HUBSPOT, "sign-in", ["oauth"])).toBe("use");
    expect(verdict(ENDED_BY_ADMIN, "sign-in", ["oauth", "users", "more"])).toBe("leave");
  });
});

test("the first grant of an account is taken by an install, and a sign-in installs nothing", () => {
  for (const isAdmins of [true, false]) {
    expect(judgeGrant(undefined, { occasion: "install", scopes: [], isAdmins })).toBe("take");
    expect(judgeGrant(undefined, { occasion: "sign-in", scopes: [], isAdmins })).toBe("leave");
  }
});
