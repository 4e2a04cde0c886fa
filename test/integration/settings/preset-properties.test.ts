import { afterEach, describe, expect, test } from "@jest/globals";
import {
  addProperty,
  page,
  portalId,
  PRESET,
  site,
  submit,
  usePolicySite,
} from "../../support/policy-site.js";

usePolicySite();

describe("the properties that a preset names", () => {
  const stored = () => site.database.prisma.preset.findFirst({ where: { portalId } });
  const optionsOf = (text: string, field: string): string[] => {
    const [, list = ""] = new RegExp(`<datalist id="${field}-choices">(.*?)</datalist>`).exec(text) ?? [];
    return [...list.matchAll(/<option value="([^"]*)">([^<]*)</g)].map(
      ([, name, label]) => `${name}: ${label}`,
    );
  };

  afterEach(() => {
    site.simulator.setFaults({});
  });

  test("are offered by label while one types, those that hold a user for the sender", async () => {
    addProperty("sales_rep", "Sales rep", { holdsUser: true });
    addProperty("of_some_app", "Of some app", { isHidden: true });
    const text = await page("presets/new");
    expect(text).toContain('list="property_name-choices"');
    expect(optionsOf(text, "property_name")).toContain("lifecyclestage: Lifecycle Stage");
    expect(optionsOf(text, "property_name").join()).not.toContain("of_some_app");
    expect(optionsOf(text, "sender_property")).toEqual([
      "hubspot_owner_id: Contact owner",
      "sales_rep: Sales rep",
    ]);
  });

  test("are refused if HubSpot has none of that name, and taken by their label", async () => {
    const typed = { ...PRESET, property_name: "lifecylestage", property_values: "customer" };
    const misspelled = await submit("presets/new", typed);
    expect(misspelled.status).toBe(422);
    expect(misspelled.text).toContain("There's no contact property named lifecylestage.");
    const sender = await submit("presets/new", {
      ...PRESET,
      sender_mode: "contact_property",
      sender_property: "sales_representative",
    });
    expect([sender.status, sender.text.includes("no contact property named sales_representative")]).toEqual([
      422,
      true,
    ]);
    expect(await stored()).toBeNull();
    expect((await submit("presets/new", { ...typed, property_name: "Lifecycle stage" })).status).toBe(303);
    expect((await stored())?.policy).toMatchObject({
      suppression: { property: { name: "lifecyclestage", values: ["customer"] } },
    });
  });

  test("are allowed if people do not see them, since the app does", async () => {
    addProperty("of_some_app", "Of some app", { isHidden: true });
    const typed = { ...PRESET, property_name: "of_some_app", property_values: "yes" };
    expect((await submit("presets/new", typed)).status).toBe(303);
  });

  test("are saved as typed while HubSpot cannot be asked, which is said", async () => {
    site.simulator.setFaults({ properties: { errorBefore: 1 } });
    const typed = { ...PRESET, property_name: "lifecylestage", property_values: "customer" };
    expect(await page("presets/new")).toContain("We couldn't load your properties from HubSpot.");
    expect((await submit("presets/new", typed)).status).toBe(303);
    expect(await page("presets")).toContain("its property names weren't checked");
    expect(await stored()).not.toBeNull();
    expect((await submit("presets/new", { ...PRESET, name: "Without properties" })).status).toBe(303);
    expect(await page("presets")).toContain("Saved preset Without properties.");
  });
});
