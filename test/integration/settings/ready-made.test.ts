import { beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import {
  browser,
  HOSTILE,
  makeRotation,
  otherId,
  page,
  portalId,
  site,
  usePolicySite,
} from "../../support/policy-site.js";
import { storeFlow } from "../../support/stored-flows.js";

usePolicySite();

const pool = () => site.database.pool;
const words = (html: string) => html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
const FORM = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/** Fills a recipe's form in as it was opened, and sends it. */
async function send(recipe: string, fields: Record<string, string>) {
  const form = await page(`workflows/new/${recipe}`);
  const hidden = { form_token: hiddenField(form, "form_token"), key: hiddenField(form, "key") };
  const given = { name: "Webinar", sequence_id: "31", sender_mode: "contact_owner", ...hidden, ...fields };
  const answer = await browser.post(`/settings/workflows/new/${recipe}`, given);
  return { ...answer, words: words(answer.text) };
}

const made = () => site.database.prisma.madeFlow.findMany({ where: { portalId }, orderBy: { id: "asc" } });

const knowActions = async () => {
  for (const [kind, definitionId] of [
    ["ENROLL", "1001"],
    ["WAIT_FOR_SEQUENCE_END", "1002"],
  ] as const)
    await pool().query(
      "INSERT INTO action_types (definition_id, version, kind) VALUES ($1, 3, $2) ON CONFLICT DO NOTHING",
      [definitionId, kind],
    );
};

beforeEach(async () => {
  for (const [sequenceId, name] of [
    ["31", "Outbound"],
    ["32", "Second try"],
  ] as const)
    await site.database.prisma.sequence.create({ data: { portalId, sequenceId, name, isListed: true } });
});

describe("a ready-made workflow", () => {
  test("cannot be made before HubSpot has named our action, and the page says how to get there", async () => {
    await pool().query("DELETE FROM action_types");
    const answer = await send("form", { trigger: "form", form: FORM, make: "yes" });
    expect(answer.words).toContain("HubSpot tells us an action's number only when a contact reaches it");
    expect(answer.words).toContain("“Enroll in sequence”");
    expect(await made()).toEqual([]);
  });

  test("is shown in words and as a picture before it is made, and only then made", async () => {
    await knowActions();
    const rotationId = await makeRotation("Inbound desk", 8n);
    const fields = {
      trigger: "property",
      property: "hs_lead_status",
      values: "NEW\nOPEN",
      sender_mode: "rotation",
      rotation_id: String(rotationId),
    };
    const preview = await send("filter", fields);
    expect(preview.words).toContain("The property “Lead Status” of a contact becomes “NEW” or “OPEN”.");
    expect(preview.words).toContain("Enroll in sequence: “Outbound”, sent by the rotation “Inbound desk”.");
    expect(preview.text).toContain('class="flow-picture"');
    expect(await made()).toEqual([]);
    expect((await send("filter", { ...fields, make: "yes" })).status).toBe(303);
    const filter = {
      filterType: "PROPERTY",
      property: "hs_lead_status",
      operation: { operationType: "ENUMERATION", operator: "IS_ANY_OF", values: ["NEW", "OPEN"] },
    };
    expect(await made()).toMatchObject([
      {
        state: "MAKING",
        definition: {
          isEnabled: false,
          actions: [{ actionTypeId: "1-1001", fields: { rotation_id: String(rotationId) } }],
          enrollmentCriteria: { listFilterBranch: { filterBranches: [{ filters: [filter] }] } },
        },
      },
    ]);
    expect(words(await page("workflows"))).toMatch(
      /Created here Webinar Creating Enroll when a filter is met/,
    );
  });

  test("goes on to the next sequence only if there was no reply, and waits no longer than the account allows", async () => {
    await knowActions();
    await pool().query(
      `INSERT INTO portal_settings (portal_id, max_hold_days) VALUES ($1, 20) ON CONFLICT (portal_id) DO UPDATE SET max_hold_days = 20`,
      [portalId],
    );
    const fields = { trigger: "sequence", first_sequence: "31", sequence_id: "32", days: "5" };
    const { words: text } = await send("no-reply", fields);
    expect(text).toMatch(/Until the sequence ends, up to 20 days\. .*Ended without a reply: Delay: 5 days\./);
    expect(text).toContain(
      "Ended without a reply: Still no reply?: Contacts who replied in the last 5 days leave here.",
    );
    expect(text).toContain("Ended without a reply: Enroll in sequence: “Second try”");
  });

  test.each([
    ["form", { trigger: "form", form: "the webinar form" }, "contains the id"],
    [
      "filter",
      { trigger: "property", property: "no_such_property" },
      "no contact property with the internal name",
    ],
    [
      "filter",
      { trigger: "property", property: "annualrevenue", values: "many" },
      "This property is a number",
    ],
    [
      "filter",
      { trigger: "property", property: "closedate", values: "2027" },
      "only be asked whether it has a value",
    ],
    ["filter", { trigger: "list", list: "my list" }, "Enter the list's id"],
    ["filter", { trigger: "sequence" }, "Choose how contacts come into the workflow"],
    ["no-reply", { trigger: "sequence", first_sequence: "31" }, "Choose another sequence than the first one"],
    ["outcome", { trigger: "by-hand", days: "31" }, "from 1 to 30"],
    ["outcome", { trigger: "by-hand", days: "14", sequence_id: "33" }, "Choose the sequence to enroll in"],
  ])("of %s is not made from %j", async (recipe, fields, problem) => {
    await knowActions();
    const answer = await send(recipe, { ...fields, make: "yes" });
    expect(answer.status).toBe(422);
    expect(answer.words).toContain(problem);
    expect(await made()).toEqual([]);
  });

  test("takes a form or a list by the address of its page", async () => {
    await knowActions();
    const at = "https://app.hubspot.com";
    await send("form", { trigger: "form", form: `${at}/forms/1/editor/${FORM}/edit/form`, make: "yes" });
    await send("filter", { trigger: "list", list: `${at}/contacts/1/objectLists/77`, make: "yes" });
    const [byForm, byList] = await made();
    expect(JSON.stringify(byForm?.definition)).toContain(`"values":["${FORM}"]`);
    expect(JSON.stringify(byList?.definition)).toContain('"listId":"77"');
  });

  test("shows no name as code", async () => {
    await knowActions();
    const name = HOSTILE.slice(0, 150);
    await send("form", { name, trigger: "form", form: FORM, make: "yes" });
    expect(await made()).toHaveLength(1);
    expect(await page("workflows")).not.toContain("<script>alert");
  });
});

describe("the form that puts contacts in a workflow", () => {
  const entries = () =>
    site.database.prisma.flowEntry.findMany({ where: { portalId }, orderBy: { id: "asc" } });
  const put = async (fields: Record<string, string>) => {
    const form = await page("workflows");
    const hidden = { form_token: hiddenField(form, "form_token"), key: hiddenField(form, "key") };
    const given = { ...hidden, ...fields };
    const answer = await browser.post("/settings/workflows/contacts", given);
    return {
      ...answer,
      words: words(answer.text),
      again: () => browser.post("/settings/workflows/contacts", given),
    };
  };

  beforeEach(async () => {
    await storeFlow(pool(), portalId, { flowId: "9001", name: "Webinar, live" });
    await storeFlow(pool(), otherId, { flowId: "9002", name: "Other people's" });
  });

  test("says which workflows there are, and until when HubSpot's older API works", async () => {
    const text = words(await page("workflows"));
    expect(text).toContain("Webinar, live");
    expect(text).toContain("which HubSpot supports until September 2027");
    expect(text).not.toContain("Other people");
  });

  test("stores each contact once, however they are separated and however often it is sent", async () => {
    const answer = await put({ flow: "9001", contacts: "151, ann@lead.example;\n152 151" });
    expect(answer.status).toBe(303);
    await answer.again();
    expect(await entries()).toMatchObject([
      { contactId: "151", email: null, flowId: "9001" },
      { contactId: null, email: "ann@lead.example" },
      { contactId: "152" },
    ]);
    expect(words(await page("workflows"))).toMatch(/151 Webinar, live .* In progress/);
  });

  test("stores nothing of a list with something else in it, or for another account's workflow", async () => {
    const wrong = await put({ flow: "9001", contacts: "151\nAnn Lee" });
    expect(wrong.status).toBe(422);
    expect(wrong.words).toContain("These aren't record IDs or email addresses: “Ann”, “Lee”");
    expect((await put({ flow: "9002", contacts: "151" })).status).toBe(422);
    expect(await entries()).toEqual([]);
  });
});
