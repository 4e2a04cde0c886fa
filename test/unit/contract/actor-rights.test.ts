import { describe, expect, test } from "@jest/globals";
import { authorOf, type Actor, type ApiScope } from "#domain/contract/actor.js";
import { mayDo, NotAllowed, requireRight, type Verb } from "#domain/contract/actor-rights.js";
import { adminOf, systemOf } from "../../support/actors.js";

const PORTAL = 7n;
const person = { portalId: PORTAL, userId: 1n, userEmail: "ada@acme.example" };
const keyWith = (...scopes: ApiScope[]): Actor => ({
  kind: "apiKey",
  portalId: PORTAL,
  keyId: 3n,
  name: "Nightly import",
  scopes,
});
const tab: Actor = { kind: "hubspotTab", ...person };
const visitor: Actor = { kind: "visitor", ...person };
const recipient: Actor = { kind: "mailRecipient", portalId: PORTAL, address: "ops@acme.example" };

describe("what an actor may do", () => {
  test.each<[what: string, actor: Actor, verbs: { may: Verb[]; mayNot: Verb[] }]>([
    [
      "an admin: everything of the account",
      adminOf(PORTAL),
      {
        may: ["savePreset", "giveAccess", "disconnect", "startBulkJob", "changeAlerts", "exportRows"],
        mayNot: ["connect", "confirmAddress"],
      },
    ],
    [
      "a viewer: what they see, as a file",
      { kind: "viewer", ...person },
      { may: ["exportRows"], mayNot: ["savePreset", "pausePortal", "giveAccess", "undoChange", "signIn"] },
    ],
    [
      "the tab inside HubSpot: policy, and the pause",
      tab,
      { may: ["savePortalPolicy", "pausePortal", "resumePortal"], mayNot: ["giveAccess", "disconnect"] },
    ],
    [
      "an API key that may write: enrollments alone",
      keyWith("enrollments:read", "enrollments:write"),
      {
        may: ["acceptEnrollments", "actOnExecution"],
        mayNot: ["savePreset", "changeAlerts", "createKey", "giveAccess", "disconnect"],
      },
    ],
    [
      "an API key that may only read: nothing",
      keyWith("enrollments:read"),
      { may: [], mayNot: ["acceptEnrollments", "actOnExecution", "savePreset", "createKey"] },
    ],
    [
      "the operator: access, the account and messages to its programs",
      systemOf(PORTAL, "operator"),
      { may: ["giveAccess", "disconnect", "redeliver"], mayNot: ["savePreset", "actOnExecution"] },
    ],
    [
      "HubSpot: to end the connection",
      systemOf(PORTAL, "hubspot"),
      { may: ["disconnect"], mayNot: ["giveAccess", "savePreset"] },
    ],
    [
      "whoever HubSpot names: to come and go",
      visitor,
      { may: ["signIn", "signOut", "connect"], mayNot: ["savePreset", "giveAccess"] },
    ],
    [
      "whoever has a mail's link: its own address",
      recipient,
      { may: ["changeSubscription"], mayNot: ["changeAlerts", "signIn"] },
    ],
  ])("%s", (_what, actor, { may, mayNot }) => {
    expect(may.filter((verb) => !mayDo(actor, verb))).toEqual([]);
    expect(mayNot.filter((verb) => mayDo(actor, verb))).toEqual([]);
  });

  test("is refused by a typed fault that names no person", () => {
    expect(() => requireRight(tab, "disconnect")).toThrow(NotAllowed);
    expect(new NotAllowed(tab, "disconnect")).toMatchObject({
      code: "NOT_ALLOWED",
      status: 403,
      retryable: false,
    });
    expect(new NotAllowed(tab, "disconnect").message).not.toContain("ada@");
  });
});

test("the audit names a key by its name, and the operator, HubSpot and the app by what they are", () => {
  expect(authorOf(keyWith()).userEmail).toBe("API key “Nightly import”");
  const names = (["operator", "hubspot", "worker"] as const).map(
    (part) => authorOf(systemOf(PORTAL, part)).userEmail,
  );
  expect(new Set(names).size).toBe(3);
  expect(authorOf(tab)).toEqual({ userId: 1n, userEmail: "ada@acme.example" });
});
