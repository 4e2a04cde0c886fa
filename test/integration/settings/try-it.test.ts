import { describe, expect, test } from "@jest/globals";
import type { EnrollQuestion, Explanation } from "#domain/senders/explanation.js";
import { makeRotation, page, portalId, submit, usePolicySite } from "../../support/policy-site.js";

/** What the explaining function was asked, and what it answers. */
const asked: [bigint, EnrollQuestion][] = [];
let explanation: Explanation;

usePolicySite({
  explain: (portal, question) => {
    asked.push([portal, question]);
    return Promise.resolve(explanation);
  },
});

describe("asking what would happen", () => {
  const QUESTION = { contact: "ann@acme.example", sequence_id: "77", sender_mode: "portal_default" };

  test("hands the question on for this account and shows decision, checks and every candidate's reason", async () => {
    asked.length = 0;
    explanation = {
      kind: "explained",
      contact: { id: "1", email: "<i>ann</i>@acme.example" },
      policyName: "Outbound",
      checks: [{ name: "Cooldown", verdict: "passed", sentence: "Not in a sequence in the last 30 days." }],
      choice: {
        chosen: { userId: "8", via: "default_sender" },
        passedOver: [
          { userId: "7", via: "contact_owner", code: "SENDER_LIMIT_REACHED", reason: "At the cap." },
        ],
      },
      decision: "enroll",
      sentence: "Bob Ray would send.",
    };
    const answer = await submit("try", QUESTION);
    expect(answer.status).toBe(200);
    expect(asked).toEqual([
      [
        portalId,
        { contact: "ann@acme.example", sequenceId: "77", presetId: null, sender: { mode: "portal_default" } },
      ],
    ]);
    expect(answer.text).toContain("Would be enrolled.");
    expect(answer.text).toMatch(/SENDER_LIMIT_REACHED.*Ann Lee.*contact owner.*At the cap\..*Bob Ray/);
    expect(answer.text).toContain("&lt;i>ann");
    explanation = { kind: "contact-not-found" };
    expect((await submit("try", QUESTION)).text).toContain("HubSpot has no such contact.");
    explanation = { kind: "hubspot-unavailable" };
    expect((await submit("try", QUESTION)).text).toContain("We couldn't reach HubSpot");
  });

  test("takes all that a step can say, a link's preset, sender or rotation, and a story's contact and sequence", async () => {
    asked.length = 0;
    explanation = { kind: "contact-not-found" };
    const step = { sender_alias: "a@acme.example", if_already_enrolled: "wait", cooldown_days: "9" };
    await submit("try", { ...QUESTION, ...step, not_before: "2027-01-31" });
    expect(asked[0]?.[1]).toMatchObject({
      senderAlias: "a@acme.example",
      ifAlreadyEnrolled: "wait",
      cooldownDays: 9,
      notBefore: "2027-01-31",
    });
    asked.length = 0;
    expect(await page("try?sender=7")).toMatch(/value="specific_user" selected.*value="7" selected/s);
    const rotationId = await makeRotation("DACH");
    expect(await page(`try?rotation=${rotationId}`)).toMatch(
      new RegExp(`value="rotation" selected.*value="${rotationId}" selected`, "s"),
    );
    for (const path of ["senders/7", `rotations/${rotationId}`, "policy"])
      expect(await page(path)).toMatch(/href="\/settings\/try/);
    const prefilled = await submit("try", { contact: "ann@acme.example", sequence: "77" });
    expect([prefilled.status, asked]).toEqual([200, []]);
    expect(prefilled.text).toMatch(/name="contact"[^>]*value="ann@acme.example"/);
    expect(prefilled.text).toMatch(/<option value="77" selected/);
    expect(prefilled.text).toContain("No sequences found.");
  });

  test("says of an empty form that nothing was tested, with a link to each field", async () => {
    asked.length = 0;
    const { status, text } = await submit("try", { ...QUESTION, contact: "", sequence_id: "" });
    const told = /<div class="notice bad" role="alert">(.*?)<\/div>/s.exec(text)?.[1] ?? "";
    expect([status, asked]).toEqual([422, []]);
    expect(told).toContain("<strong>Not tested.</strong> Fix 2 problems:");
    const fields = [...told.matchAll(/href="#([^"]+)"/g)].map(([, field]) => field);
    expect(fields).toEqual(["contact", "sequence_id"]);
    for (const field of fields) expect(text).toContain(`id="${field}"`);
  });

  test.each([
    ["sender_alias", "x", "Enter a full email address as alias"],
    ["cooldown_days", "3651", "from 0 to 3,650"],
    ["if_already_enrolled", "maybe", "Choose an option from the list."],
    ["not_before", "tomorrow", "Enter a day such as"],
    ["contact", "nobody", "email address or contact ID"],
    ["sequence_id", "", "Choose a sequence."],
    ["preset_id", "424242", "Choose a preset from the list."],
    ["sender_mode", "specific_user", "Choose a user."],
    ["sender_mode", "rotation", "Choose a rotation."],
  ])("refuses %s %j at its field and asks nobody", async (field, value, reason) => {
    asked.length = 0;
    const answer = await submit("try", { ...QUESTION, [field]: value });
    expect([answer.status, answer.text.includes(reason), asked]).toEqual([422, true, []]);
  });
});
