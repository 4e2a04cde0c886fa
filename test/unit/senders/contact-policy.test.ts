import { describe, expect, test } from "@jest/globals";
import { neededProperties, refuseContact, type ContactFacts } from "#domain/senders/contact-policy.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";

const NOW = new Date("2026-11-21T12:00:00Z");

function refused(policy: Partial<Policy>, facts: Partial<ContactFacts> = {}) {
  const properties = { email: "pat@shop.example", ...facts.properties };
  const all = { sequenceId: "7", history: undefined, now: NOW, timeZone: "UTC", ...facts, properties };
  return refuseContact({ ...INITIAL_POLICY, ...policy }, all);
}

const refusal = (policy: Partial<Policy>, facts?: Partial<ContactFacts>) => refused(policy, facts)?.code;

test("the days of a cooldown are those of the account's calendar", () => {
  const properties = { hs_latest_sequence_enrolled_date: "2026-11-20T23:30:00Z" };
  const facts = { properties, timeZone: "Europe/Berlin" };
  expect(refused({ cooldown: { days: 30, scope: "any" } }, facts)?.reason).toBe(
    "The contact is in cooldown until Dec 21, 2026: it was enrolled in a sequence on Nov 21, 2026, less than 30 days ago.",
  );
});

const suppressing = (domains: string[]): Partial<Policy> => ({ suppression: { domains, property: null } });

describe("a cooldown", () => {
  const ago = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);
  const cooling = (scope: "any" | "sequence", facts: Partial<ContactFacts>, days = 3) =>
    refused({ cooldown: { days, scope } }, facts);
  const history = (anyDays: number, sequenceDays?: number) => ({
    history: {
      lastSenderUserId: undefined,
      lastEnrolledAt: ago(anyDays),
      lastEnrolledInSequenceAt: sequenceDays === undefined ? undefined : ago(sequenceDays),
    } as unknown as ContactFacts["history"],
  });

  test("is counted from our own enrollments, too: of any sequence, or of this one alone", () => {
    expect(cooling("any", history(1))?.reason).toContain("enrolled in a sequence on");
    expect(cooling("sequence", history(1))).toBeUndefined();
    expect(cooling("sequence", history(1, 2))?.reason).toContain("enrolled in this sequence on");
    expect(cooling("sequence", history(1, 4))).toBeUndefined();
  });

  test("is counted from the later of what HubSpot and we know", () => {
    const properties = {
      hs_latest_sequence_enrolled: "7",
      hs_latest_sequence_enrolled_date: ago(1).toISOString(),
    };
    expect(cooling("any", { ...history(9), properties })?.code).toBe("COOLDOWN_ACTIVE");
    const old = { ...properties, hs_latest_sequence_enrolled_date: ago(9).toISOString() };
    expect(cooling("any", { ...history(1), properties: old })?.code).toBe("COOLDOWN_ACTIVE");
  });

  test("is over to the millisecond, and is none of zero days", () => {
    expect(cooling("any", history(3))).toBeUndefined();
    expect(cooling("any", history(2.999))?.code).toBe("COOLDOWN_ACTIVE");
    expect(cooling("any", history(-0.5), 0)).toBeUndefined();
  });
});

describe("the policy for contacts", () => {
  test("works without an address, and knows domains of any length", () => {
    expect(refusal(suppressing(["shop.example"]), { properties: { email: null } })).toBeUndefined();
    expect(
      refusal(suppressing(["a.b.c.shop.example", "de"]), { properties: { email: "p@a.b.c.shop.example" } }),
    ).toBe("BLOCKED");
    expect(refusal(suppressing(["de", "shop.example"]), { properties: { email: "p@x.shop.example " } })).toBe(
      "BLOCKED",
    );
  });

  /** A thousand domains, a hundred values: the most a preset takes. Longer addresses than HubSpot's 64 KiB do not come. */
  test("costs a contact little, however long an admin's lists and the contact's properties are", () => {
    const label = "x".repeat(63);
    const domains = Array.from({ length: 1_000 }, (_, at) => `${label}.${label}.${label}.d${at}.example`);
    const values = Array.from({ length: 100 }, (_, at) => `${"v".repeat(195)}${at}`);
    const policy = { suppression: { domains, property: { name: "tags", values } } };
    const hostile = [
      { email: `p@${"a.".repeat(32_000)}example`, tags: ";".repeat(65_536) },
      { email: "@".repeat(65_536), tags: "v;".repeat(32_768) },
      { email: `p@${".".repeat(65_536)}`, tags: `${"v".repeat(195)};`.repeat(330) },
      { email: `p@${label}.${label}.${label}.d.example${" ".repeat(60_000)}.`, tags: " ".repeat(65_536) },
    ];
    for (const properties of hostile) {
      expect(refusal(policy, { properties })).toBeUndefined();
      const startedAt = process.cpuUsage();
      for (let contact = 0; contact < 20; contact += 1) refusal(policy, { properties });
      const { user, system } = process.cpuUsage(startedAt);
      expect((user + system) / 1_000 / 20).toBeLessThan(15);
    }
  });

  test("knows what is below a listed domain also in an address that begins with a dot", () => {
    expect(refusal(suppressing(["shop.example", "example"]), { properties: { email: "p@.example" } })).toBe(
      "BLOCKED",
    );
    expect(refusal(suppressing(["shop.example"]), { properties: { email: "p@.example" } })).toBeUndefined();
  });

  test("names the entry that comes first in the list", () => {
    const reason = refused(suppressing(["example", "shop.example", "example"]))?.reason;
    expect(reason).toBe("example is on your blocked domains list.");
  });

  test("suppresses a domain and what is below it, and no other that ends alike", () => {
    expect(refusal(suppressing(["shop.example"]))).toBe("BLOCKED");
    expect(refusal(suppressing(["example"]))).toBe("BLOCKED");
    expect(refusal(suppressing(["op.example"]))).toBeUndefined();
    expect(refusal(suppressing(["eu.shop.example"]))).toBeUndefined();
    expect(refusal(suppressing(["shop.example"]), { properties: { email: "PAT@EU.SHOP.EXAMPLE" } })).toBe(
      "BLOCKED",
    );
  });

  test("suppresses one of several values, whatever its case", () => {
    const policy = { suppression: { domains: [], property: { name: "tags", values: ["Partner"] } } };
    expect(refusal(policy, { properties: { tags: "press; PARTNER " } })).toBe("BLOCKED");
    expect(refusal(policy, { properties: { tags: "partners" } })).toBeUndefined();
    expect(refusal(policy, { properties: { tags: null } })).toBeUndefined();
  });

  test("says what it goes by, and whose choice it is", () => {
    const tagged = { suppression: { domains: [], property: { name: "tags", values: ["Partner"] } } };
    expect(refused(tagged, { properties: { tags: "partner" } })).toEqual({
      code: "BLOCKED",
      status: "SKIPPED",
      reason: "Blocked because tags is “Partner”.",
    });
    expect(refused(suppressing(["example"]))?.status).toBe("SKIPPED");
    const facts = { properties: { hs_latest_sequence_enrolled_date: "2026-11-20T12:00:00Z" } };
    expect(refused({ cooldown: { days: 3, scope: "any" } }, facts)?.status).toBe("SKIPPED");
    expect(refused({}, { properties: { hs_email_optout: "true" } })).toEqual({
      code: "UNSUBSCRIBED",
      status: "FAILED",
      reason: "The contact has opted out of all email.",
    });
  });

  test("needs the properties that it goes by, and no others", () => {
    // A list of nothing is equal to a list of undefined, unless it is asked for strictly.
    expect(neededProperties(INITIAL_POLICY)).toStrictEqual([]);
    const sender = { mode: "contact_property", property: "account_manager" } as const;
    const suppression = { domains: [], property: { name: "tags", values: [] } };
    expect(neededProperties({ ...INITIAL_POLICY, sender })).toEqual(["account_manager"]);
    expect(neededProperties({ ...INITIAL_POLICY, sender, suppression })).toEqual(["account_manager", "tags"]);
  });

  test("heeds an opt-out only where it is asked to", () => {
    expect(refusal({}, { properties: { hs_email_optout: "true" } })).toBe("UNSUBSCRIBED");
    expect(refusal({ checkOptOut: false }, { properties: { hs_email_optout: "true" } })).toBeUndefined();
  });

  test.each([
    {
      what: "same sequence, in ms",
      sequence: "7",
      date: String(NOW.getTime() - 86_400_000),
      isCooling: true,
    },
    { what: "another sequence", sequence: "8", date: "2026-11-20T12:00:00Z", isCooling: false },
    { what: "another, scope any", sequence: "8", date: "2026-11-20T12:00:00Z", isAny: true, isCooling: true },
    { what: "over by now", sequence: "7", date: "2026-11-18T12:00:00Z", isCooling: false },
    {
      what: "same sequence, in s",
      sequence: "7",
      date: String(NOW.getTime() / 1_000 - 86_400),
      isCooling: true,
    },
    ...[
      ...["soon", "May 7", "2026", "-1", "NaN", "0", "12345678"],
      ...[
        "99999999999999999",
        "8640000000000001",
        "253402300799999",
        "9999-12-31T00:00:00Z",
        "+275760-09-13",
      ],
      ...["1999-12-31T00:00:00Z", new Date(NOW.getTime() + 2 * 86_400_000).toISOString()],
    ].map((date) => ({ what: `no date: ${date}`, sequence: "7", date, isAny: true, isCooling: false })),
  ])("a cooldown of three days: $what", ({ sequence, date, isAny, isCooling }) => {
    const properties = { hs_latest_sequence_enrolled: sequence, hs_latest_sequence_enrolled_date: date };
    const cooldown = { days: 3, scope: isAny === true ? ("any" as const) : ("sequence" as const) };
    expect(refusal({ cooldown }, { properties })).toBe(isCooling ? "COOLDOWN_ACTIVE" : undefined);
  });
});
