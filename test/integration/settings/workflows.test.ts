import { beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import {
  browser,
  chooseDefault,
  HOSTILE,
  makeRotation,
  otherId,
  page,
  portalId,
  PRESET,
  site,
  stranger,
  submit,
  usePolicySite,
} from "../../support/policy-site.js";
import { storeFlow } from "../../support/stored-flows.js";

usePolicySite();

const pool = () => site.database.pool;
const setPortal = (set: string, values: readonly unknown[] = []) =>
  pool().query(`UPDATE portals SET ${set} WHERE portal_id = $1`, [portalId, ...values]);

/** The page as a person reads it. */
const read = async (path: string) => (await page(path)).replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

async function addSequence(sequenceId: string, name: string): Promise<void> {
  await site.database.prisma.sequence.create({ data: { portalId, sequenceId, name, isListed: true } });
}

async function addDecided(workflowId: string, status: string, count: number): Promise<void> {
  await pool().query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, decided_at, completed_at, deadline_at, contact_id, workflow_id,
                             sequence_id, sequence_name, request, enrollment_status)
     SELECT $1, 'ap-' || gen_random_uuid(), 'ENROLL', 'COMPLETED', now(), now(), now(), number::text, $2, '31', 'Outbound', '{}', $3
       FROM generate_series(1, $4::int) AS number`,
    [portalId, workflowId, status, count],
  );
}

describe("the page of workflows", () => {
  test("says what each action enrolls in, as whom, by which preset, and what came of it in seven days", async () => {
    await addSequence("31", "Outbound");
    await storeFlow(pool(), portalId, {
      flowId: "9001",
      workflowId: "71000001",
      name: "Webinar follow-up",
      steps: [
        { sequenceId: "31", senderMode: "specific_user", senderUserId: 7n, ifAlreadyEnrolled: "wait" },
        { kind: "WAIT_FOR_SEQUENCE_END" },
      ],
    });
    await addDecided("71000001", "ENROLLED", 3);
    await addDecided("9001", "FAILED", 1);
    const html = await page("workflows");
    expect(html).toContain(`/workflows/${portalId}/platform/flow/9001/edit"`);
    const text = await read("workflows");
    expect(text).toMatch(/Webinar follow-up On Enroll in sequence Sequence: Outbound Sender: Ann Lee/);
    expect(text).toContain("Preset: Default preset");
    expect(text).toContain("Already in a sequence: wait, then enroll");
    expect(text).toContain("Wait for sequence end");
    expect(text).toMatch(/ 4 Yesterday 75% /);
  });

  test("says who sends when the chosen sender cannot: by the action's preset, the default one, or the built-in one", async () => {
    const rotationId = await makeRotation("Night desk", 8n);
    const fallback = {
      fallback_rotation_id: String(rotationId),
      fallback_default: "yes",
      when_nobody: "fail",
    };
    await submit("presets/new", { ...PRESET, ...fallback });
    const { presetId } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } });
    await storeFlow(pool(), portalId, { flowId: "1", name: "With a preset", steps: [{ presetId }] });
    await storeFlow(pool(), portalId, { flowId: "2", name: "Without one", steps: [{}] });
    const its = "Fallback: Rotation “Night desk”, then the default sender, then fail";
    expect(await read("workflows")).toMatch(
      new RegExp(`With a preset .*${its}.*Without one .*Fallback: Wait for the next`),
    );
    await chooseDefault(String(presetId), await page("presets"));
    expect((await read("workflows")).split(its)).toHaveLength(3);
  });

  test("warns of what an action relies on that is gone", async () => {
    await addSequence("31", "Outbound");
    const steps = [
      { sequenceId: "404", senderMode: "specific_user", senderUserId: 999n, presetId: 77n },
      { sequenceId: "31", senderMode: "rotation", rotationId: 88n },
    ];
    await storeFlow(pool(), portalId, { flowId: "1", steps });
    const text = await read("workflows");
    for (const words of [
      "This sequence was deleted, or none of the users",
      "This user isn't active in this account",
      "This preset was deleted.",
      "This rotation was deleted.",
    ])
      expect(text.split(words)).toHaveLength(2);
  });

  test("warns of a preset's sender who is gone, unless the action names its own", async () => {
    await submit("presets/new", { ...PRESET, sender_mode: "specific_user", sender_user_id: "8" });
    const { presetId } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } });
    const own = { presetId, senderMode: "contact_owner" };
    const steps = [{ presetId }, { presetId, senderMode: "portal_default" }, own];
    await storeFlow(pool(), portalId, { flowId: "1", steps });
    const words = "The preset's sender isn't active";
    expect(await read("workflows")).not.toContain(words);
    await pool().query("UPDATE users SET is_listed = false WHERE portal_id = $1 AND user_id = 8", [portalId]);
    expect((await read("workflows")).split(words)).toHaveLength(3);
    await chooseDefault(String(presetId), await page("presets"));
    await storeFlow(pool(), portalId, { flowId: "2", steps: [{}, { kind: "CHECK_ENROLLMENT" }] });
    expect((await read("workflows")).split(words)).toHaveLength(4);
  });

  test("warns of an action that unenrolls while the account cannot", async () => {
    await storeFlow(pool(), portalId, { flowId: "1", steps: [{ kind: "UNENROLL" }, {}] });
    const words = "Contacts stay in their sequence and continue with the outcome NOT_SUPPORTED";
    expect((await read("workflows")).split(words)).toHaveLength(2);
    await pool().query("INSERT INTO unenroll_setups (portal_id, state) VALUES ($1, 'ON')", [portalId]);
    expect(await read("workflows")).not.toContain(words);
    await pool().query("UPDATE unenroll_setups SET problem = 'NO_PROPERTY' WHERE portal_id = $1", [portalId]);
    expect((await read("workflows")).split(words)).toHaveLength(2);
  });

  test("warns of an action that replaces sequences while the account cannot unenroll", async () => {
    await storeFlow(pool(), portalId, { flowId: "1", steps: [{ ifAlreadyEnrolled: "replace" }, {}] });
    const words = "Contacts already in a sequence stay in it";
    expect((await read("workflows")).split(words)).toHaveLength(2);
    await pool().query("INSERT INTO unenroll_setups (portal_id, state) VALUES ($1, 'ON')", [portalId]);
    expect(await read("workflows")).not.toContain(words);
  });

  test("shows HubSpot's own actions as such, workflows that are off, and deleted ones without a link", async () => {
    const steps = [{ kind: "NATIVE_ENROLL", sequenceId: "31" }, { kind: "NATIVE_UNENROLL" }];
    await storeFlow(pool(), portalId, { flowId: "1", name: "Renewals", isEnabled: false, steps });
    await storeFlow(pool(), portalId, { flowId: "2", name: "Old one", isListed: false, steps: [{}] });
    const text = await read("workflows");
    expect(text).toMatch(/Renewals Off Enroll in a sequence \(HubSpot's own action\)/);
    expect(text).toContain("Unenroll from sequence (HubSpot's own action)");
    expect(text).toMatch(/Old one Deleted/);
    expect(await page("workflows")).not.toContain("platform/flow/2/edit");
  });

  test("says that nothing was read yet, or that nothing uses a sequence", async () => {
    expect(await read("workflows")).toContain("We're still reading your workflows from HubSpot.");
    await setPortal("flows_read_at = now()");
    const text = await read("workflows");
    expect(text).toContain("No workflow uses a sequence yet.");
    expect(text).toContain("We recognize our actions once the first contact has reached one");
  });

  test("says which permission is missing and offers to connect again, and keeps showing what it had", async () => {
    await storeFlow(pool(), portalId, { flowId: "1", name: "Webinar", steps: [{}] });
    await setPortal("flows_problem = 'SCOPE_MISSING'");
    const text = await read("workflows");
    expect(text).toContain("the “automation” permission wasn't granted");
    expect(text).toContain("The list below is from before.");
    expect(text).toContain("Webinar");
    expect(await page("workflows")).toContain('href="/settings/reconnect"');
  });

  test.each(["CUT", "UNREADABLE", "UNAVAILABLE", "REFUSED"])(
    "says in words that the list is %s, with HubSpot's own, and what was left out",
    async (problem) => {
      await setPortal("flows_read_at = now(), flows_problem = $2, flows_report = $3", [
        problem,
        JSON.stringify({ message: "Out of <b>order</b>", leftOut: 2 }),
      ]);
      const html = await page("workflows");
      expect(html).toContain("Out of &lt;b>order&lt;/b>");
      expect(await read("workflows")).toContain("We couldn't read 2 of HubSpot's entries");
      expect(html).not.toContain("<b>order</b>");
    },
  );

  test("asks for a new copy by a button, once in a minute", async () => {
    await setPortal("flows_read_at = now() - interval '2 minutes', flows_requested_at = NULL");
    const press = async () => {
      const token = hiddenField(await page("workflows"), "form_token");
      await browser.post("/settings/workflows/look-again", { form_token: token });
      return read("workflows");
    };
    expect(await press()).toContain("Reading your workflows from HubSpot.");
    const { flowsRequestedAt } = await site.database.prisma.portal.findUniqueOrThrow({ where: { portalId } });
    expect(flowsRequestedAt).not.toBeNull();
    expect(await press()).toContain("read less than a minute ago, or are being read now");
  });

  test("shows no name as code, and no other account's workflows", async () => {
    await storeFlow(pool(), portalId, {
      flowId: "1",
      name: HOSTILE,
      steps: [{ sequenceId: HOSTILE.slice(0, 90) }],
    });
    await storeFlow(pool(), otherId, { flowId: "2", name: "Other people's", steps: [{}] });
    expect(await page("workflows")).not.toContain("<script>alert");
    expect(await page("workflows")).not.toContain("Other people");
    expect(await page("workflows", stranger)).toContain("Other people");
  });
});

describe("what workflows use", () => {
  let rotationId: bigint;
  let presetId: bigint;

  beforeEach(async () => {
    rotationId = await makeRotation("Inbound desk", 8n);
    await submit("presets/new", PRESET);
    ({ presetId } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } }));
    await storeFlow(pool(), portalId, {
      flowId: "1",
      name: "By rotation",
      steps: [{ senderMode: "rotation", rotationId, presetId }],
    });
    await storeFlow(pool(), portalId, {
      flowId: "2",
      name: "By default",
      isEnabled: false,
      steps: [{ senderMode: "portal_default" }],
    });
  });

  test("stands on presets, rotations, senders and the default sender", async () => {
    expect(await read("presets")).toContain("Used by 1 workflow: By rotation .");
    expect(await read("rotations")).toContain("Used by 1 workflow: By rotation .");
    expect(await read("senders/8")).toContain("Used by 1 workflow: By rotation .");
    expect(await read("senders/7")).toContain("Used by no workflow.");
    // The built-in policy sends by the default sender.
    expect(await read("")).toContain("Used by 1 workflow: By default (off) .");
  });

  test("is said before a deletion, another default and a disconnect", async () => {
    const [preset, rotation] = [await read(`presets/${presetId}`), await read(`rotations/${rotationId}`)];
    expect(preset).toMatch(/Delete this preset.*Used by 1 workflow: By rotation/);
    expect(rotation).toMatch(/Delete this rotation.*Used by 1 workflow: By rotation/);
    expect(await read("presets")).toContain(
      "1 workflow without a preset of its own will follow the new default.",
    );
    expect(await read("danger")).toMatch(/Used by 2 workflows: By rotation , By default \(off\)/);
  });

  test("is not claimed as long as no workflow was ever read", async () => {
    await setPortal("flows_read_at = NULL");
    for (const path of ["presets", "rotations", "senders/7", "danger"])
      expect(await read(path)).not.toContain("Used by no workflow");
  });
});

describe("names of workflows", () => {
  beforeEach(async () => {
    await storeFlow(pool(), portalId, { flowId: "9001", workflowId: "71000001", name: "Webinar, live" });
    await addDecided("71000001", "ENROLLED", 2);
    await addDecided("555", "ENROLLED", 1);
  });

  test("stand in the report, and never a sequence's in their place", async () => {
    const text = await read("reports?by=workflow&range=7d");
    expect(text).toContain("Webinar, live");
    expect(text).toContain("Workflow 555");
    expect(text).not.toContain("Outbound");
    const file = (await browser.get("/settings/reports.csv?by=workflow&range=7d")).text;
    expect(file).toContain('71000001,"Webinar, live",2');
    expect(file).toContain("555,,1");
    expect(await read("reports?by=sequence&range=7d")).toContain("Outbound");
  });

  test("stand in the activity list, a contact's story and the file", async () => {
    expect(await read("activity")).toContain("Workflow Webinar, live");
    const { id } = await site.database.prisma.execution.findFirstOrThrow({
      where: { portalId, workflowId: "71000001" },
    });
    expect(await read(`activity/${id}`)).toMatch(/Workflow Webinar, live ↗ started/);
    expect(await page(`activity/${id}`)).toContain("platform/flow/9001/edit");
    const file = (await browser.get("/settings/activity/export.csv")).text;
    expect(file).toContain('71000001,"Webinar, live",31');
  });

  test("can be chosen in the activity's filter, which finds what they called for", async () => {
    expect(await page("activity")).toContain('<option value="71000001">Webinar, live</option>');
    const found = await read("activity?workflow=71000001");
    expect(found).toContain("Workflow Webinar, live");
    // What is asked for by an id without a name stays chosen.
    expect(await page("activity?workflow=555")).toMatch(/<option value="555" selected[^>]*>555<\/option>/);
  });

  test("are by the flow id first, if one workflow's old number is another's id", async () => {
    await storeFlow(pool(), portalId, { flowId: "71000001", name: "Another one" });
    expect(await read("reports?by=workflow&range=7d")).toContain("Another one");
  });
});
