import { describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { deleteRotation } from "#domain/policy/rotation-store.js";
import { savePreset } from "#domain/policy/preset-store.js";
import {
  site,
  portalId,
  page,
  submit,
  chooseDefault,
  audit,
  PRESET,
  makeRotation,
  addProperty,
  usePolicySite,
} from "../../support/policy-site.js";
import { adminOf } from "../../support/actors.js";
import { hiddenField } from "../../support/browser.js";

usePolicySite();

describe("rotations", () => {
  test("are put together without script: adding and removing saves nothing until it is saved", async () => {
    const empty = await submit("rotations/new", { name: "DACH" });
    expect([empty.status, empty.text.includes("Add at least one sender.")]).toEqual([422, true]);
    const one = await submit("rotations/new", { name: "DACH", new_member: "7", add: "yes" });
    const two = await submit(
      "rotations/new",
      { name: "DACH", member: "7", weight_7: "3", new_member: "8", add: "yes" },
      { form: one.text },
    );
    expect(two.text).toContain("Unsaved changes.");
    expect(two.text).toMatch(/75%.*25%/);
    expect(await site.database.prisma.rotation.count({ where: { portalId } })).toBe(0);
    const members = [
      ...[
        ["member", "7"],
        ["weight_7", "3"],
      ],
      ...[
        ["member", "8"],
        ["weight_8", "1"],
      ],
    ];
    const less = await submit("rotations/new", [["name", "DACH"], ...members, ["remove", "7"]], {
      form: two.text,
    });
    expect(less.text).not.toContain('name="weight_7"');
    const saved = await submit("rotations/new", [["name", "DACH"], ["keeps_sender", "yes"], ...members], {
      form: two.text,
    });
    expect(saved.location).toBe(`${site.url}/settings/rotations`);
    expect(await page("rotations")).toMatch(/DACH.*Ann Lee.*75%.*Bob Ray.*25%/);
    expect(await audit()).toMatchObject([
      {
        subject: "rotation",
        subjectName: "DACH",
        action: "CREATED",
        before: null,
        after: {
          keepsSender: true,
          members: [
            { userId: "7", weight: 3 },
            { userId: "8", weight: 1 },
          ],
        },
      },
    ]);
  });

  test("keep what each was picked when weights change, begin the turns again, and keep both when renamed", async () => {
    const rotationId = await makeRotation("DACH");
    const { prisma } = site.database;
    await prisma.rotationMember.updateMany({ where: { portalId }, data: { picks: 41n, currentWeight: -3 } });
    expect(await page(`rotations/${rotationId}`)).toContain("41 assigned");
    await submit(`rotations/${rotationId}`, { name: "Germany", member: "7", weight_7: "1" });
    expect(await prisma.rotationMember.findFirst({ where: { portalId } })).toMatchObject({
      currentWeight: -3,
    });
    await submit(`rotations/${rotationId}`, { name: "Germany", member: "7", weight_7: "5" });
    expect(await prisma.rotationMember.findFirst({ where: { portalId } })).toMatchObject({
      weight: 5,
      currentWeight: 0,
      picks: 41n,
    });
  });

  test("refuse a wrong weight and a name that is taken, and keep what was typed", async () => {
    await makeRotation("DACH");
    const heavy = await submit("rotations/new", { name: "Two", member: "7", weight_7: "101" });
    expect(heavy.status).toBe(422);
    expect(heavy.text).toMatch(/id="weight_7"[^>]*value="101"|value="101"[^>]*id="weight_7"/);
    const taken = await submit("rotations/new", { name: "DACH", member: "7", weight_7: "2" });
    expect([taken.status, taken.text.includes("Another rotation has this name.")]).toEqual([422, true]);
    const mine = await makeRotation("Mine");
    expect((await submit(`rotations/${mine}`, { name: "DACH", member: "7", weight_7: "1" })).status).toBe(
      422,
    );
  });

  test("are not overwritten unseen", async () => {
    const rotationId = await makeRotation("DACH");
    const form = await page(`rotations/${rotationId}`);
    await submit(`rotations/${rotationId}`, { name: "First", member: "7", weight_7: "2" }, { form });
    const late = await submit(
      `rotations/${rotationId}`,
      { name: "Second", member: "8", weight_8: "4" },
      { form },
    );
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Name.*First.*Second/);
    expect(late.text).toMatch(/Ann Lee[^<]*\(2\).*Bob Ray[^<]*\(4\)/);
    const again = await submit(
      `rotations/${rotationId}`,
      { name: "Second", member: "8", weight_8: "4" },
      { form: late.text },
    );
    expect(again.status).toBe(303);
  });

  test("are deleted, but not while a preset names them, not even one saved at the same moment", async () => {
    const rotationId = await makeRotation("DACH");
    const naming = { ...PRESET, fallback_rotation_id: String(rotationId) };
    await submit("presets/new", naming);
    const shown = await page(`rotations/${rotationId}`);
    await submit(`rotations/${rotationId}`, { name: "North", member: "7", weight_7: "1" }, { form: shown });
    const late = await submit(`rotations/${rotationId}/delete`, {}, { form: shown });
    expect([late.status, late.text.includes("so it wasn't deleted")]).toEqual([409, true]);
    expect(late.text).toContain('value="North"');
    const refused = await submit(`rotations/${rotationId}/delete`, {}, { form: late.text });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("preset “Outbound” uses this rotation. Change the preset first.");
    await site.database.prisma.preset.deleteMany({ where: { portalId } });
    for (let round = 0; round < 10; round += 1) {
      const [id, admin] = [await makeRotation(`R${round}`), adminOf(portalId)];
      const fallback = { ...INITIAL_POLICY.fallback, rotationId: id.toString() };
      const draft = { name: `P${round}`, policy: { ...INITIAL_POLICY, fallback } };
      const [deleted, saved] = await Promise.all([
        deleteRotation(site.database, admin, { rotationId: id, version: 1 }),
        savePreset(site.database, admin, { draft, saved: undefined }),
      ]);
      expect([
        ["deleted", "rotation-gone"],
        ["in-use", "saved"],
      ]).toContainEqual([deleted.kind, saved.kind]);
    }
    const gone = await submit(`rotations/${rotationId}/delete`, {}, { form: late.text });
    expect(gone.status).toBe(303);
    expect((await audit()).at(-1)).toMatchObject({
      action: "DELETED",
      before: { name: "North" },
      after: null,
    });
  });
});

describe("presets", () => {
  test("hold the whole policy, as typed", async () => {
    const rotationId = String(await makeRotation("DACH"));
    addProperty("sales_rep", "Sales rep");
    const typed = {
      ...PRESET,
      sender_mode: "contact_property",
      sender_property: "sales_rep",
      fallback_rotation_id: rotationId,
      fallback_default: "yes",
      domains: "Example.com, @gmail.com\n\n gmail.com ",
      check_opt_out: "yes",
      property_name: "lifecyclestage",
      property_values: " customer \r\nOther, with comma\r\n",
    };
    expect((await submit("presets/new", typed)).status).toBe(303);
    const stored = await site.database.prisma.preset.findFirst({ where: { portalId } });
    expect(stored?.policy).toEqual({
      sender: { mode: "contact_property", property: "sales_rep" },
      fallback: { rotationId, toDefaultSender: true, whenNobody: "fail" },
      ifAlreadyEnrolled: "wait",
      cooldown: { days: 30, scope: "any" },
      suppression: {
        domains: ["example.com", "gmail.com"],
        property: { name: "lifecyclestage", values: ["customer", "Other, with comma"] },
      },
      checkOptOut: true,
    });
    const form = await page(`presets/${stored?.presetId}`);
    expect(form).toContain(">example.com\ngmail.com</textarea>");
    expect(form).toContain('value="sales_rep"');
    expect(await page("audit")).toMatch(/Blocked domains.*example.com, gmail.com/);
  });

  test.each([
    ["name", "", "Enter a name."],
    ["sender_mode", "magic", "Choose who sends."],
    ["cooldown_days", "-1", "from 0 to 3,650"],
    ["cooldown_days", "3651", "from 0 to 3,650"],
    ["if_already_enrolled", "", "in a sequence now"],
    ["domains", "good.example, not a domain!", "“not” is not a domain."],
    ["property_name", "Not Internal", "internal name of the suppressing property"],
    ["property_values", "customer", "internal name of the suppressing property"],
    ["fallback_rotation_id", "424242", "The rotation to fall back to was deleted."],
  ])("with %s %j come back as typed, with the reason at the field", async (field, value, reason) => {
    const answer = await submit("presets/new", { ...PRESET, [field]: value });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(reason);
    expect(answer.text).toContain(value);
    expect(answer.text).toMatch(/aria-invalid="true"/);
    expect(await site.database.prisma.preset.count({ where: { portalId } })).toBe(0);
  });

  test("one of them applies by default, chosen by two admins at once too; without one the built-in does", async () => {
    expect(await page("presets")).toContain("Built-in");
    await submit("presets/new", PRESET);
    await submit("presets/new", { ...PRESET, name: "Inbound" });
    const { prisma } = site.database;
    const ids = (await prisma.preset.findMany({ where: { portalId } })).map(({ presetId }) => presetId);
    const form = await page("presets");
    const answers = await Promise.all([...ids, ...ids].map((id) => chooseDefault(String(id), form)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 303, 409, 409]);
    const [chosen, ...more] = await prisma.preset.findMany({ where: { portalId, isDefault: true } });
    expect(more).toEqual([]);
    const late = answers.find(({ status }) => status === 409)?.text ?? "";
    const other = chosen?.name === "Inbound" ? "Outbound" : "Inbound";
    expect(late).toContain("Another admin changed the presets");
    expect(late).toMatch(new RegExp(`Their version.*Your version.*${chosen?.name}.*${other}`));
    expect(await page("presets")).not.toContain("Built-in");
    await submit(`presets/${chosen?.presetId}`, { ...PRESET, name: "Renamed" });
    const anotherId = ids.find((id) => id !== chosen?.presetId);
    expect((await chooseDefault(String(anotherId), late)).status).toBe(303);
    expect((await chooseDefault(String(chosen?.presetId), form)).status).toBe(409);
    await chooseDefault("", await page("presets"));
    expect(await prisma.preset.count({ where: { portalId, isDefault: true } })).toBe(0);
    await submit("presets/default", { preset: "424242" }, { form });
    expect(await page("presets")).toContain("Another admin deleted that preset");
  });

  test("do not become the default by a list that shows them as they were before another admin saved them", async () => {
    await submit("presets/new", PRESET);
    const { prisma } = site.database;
    const { presetId } = await prisma.preset.findFirstOrThrow({ where: { portalId } });
    const shown = await page("presets");
    await submit(`presets/${presetId}`, { ...PRESET, cooldown_days: "60" });
    expect((await chooseDefault(String(presetId), shown)).status).toBe(409);
    expect(await prisma.preset.count({ where: { portalId, isDefault: true } })).toBe(0);
    expect((await chooseDefault(String(presetId), await page("presets"))).status).toBe(303);
  });

  test("are not overwritten unseen, and a deleted one is said to be gone", async () => {
    await submit("presets/new", PRESET);
    const { presetId } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } });
    const path = `presets/${presetId}`;
    const form = await page(path);
    await submit(path, { ...PRESET, cooldown_days: "60" }, { form });
    const late = await submit(path, { ...PRESET, cooldown_days: "90", domains: "a.example" }, { form });
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Cooldown \(days\).*60.*90/);
    expect(late.text).toContain(">a.example</textarea>");
    expect((await submit(path, { ...PRESET, cooldown_days: "90" }, { form: late.text })).status).toBe(303);
    const kept = await submit(`${path}/delete`, {}, { form });
    expect([kept.status, kept.text.includes("so it wasn't deleted")]).toEqual([409, true]);
    expect((await submit(`${path}/delete`, {}, { form: kept.text })).status).toBe(303);
    expect((await submit(path, PRESET, { form })).status).toBe(404);
    const again = await submit(`${path}/delete`, {}, { form: kept.text });
    expect([again.status, again.text.includes("All presets")]).toEqual([404, true]);
    expect((await audit()).map(({ action }) => action)).toEqual(["CREATED", "CHANGED", "CHANGED", "DELETED"]);
  });

  test("are put back by the button beside the notice, which is pressed without script and works once", async () => {
    await submit("presets/new", PRESET);
    const { presetId, name } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } });
    await submit(`presets/${presetId}/delete`, {}, { form: await page(`presets/${presetId}`) });
    const told = await page("presets");
    expect(told).toContain(`Deleted preset ${name}.`);
    const key = hiddenField(told, "key");
    for (const _press of [1, 2]) {
      await submit("undo", { key, back: "/settings/presets" }, { form: told });
      expect(await page("presets")).toContain("Undone. Everything is as it was before.");
    }
    expect(await site.database.prisma.preset.count({ where: { portalId, presetId } })).toBe(1);
    expect((await audit()).map(({ action }) => action)).toEqual(["CREATED", "DELETED", "UNDONE"]);
  });
});
