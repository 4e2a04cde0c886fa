import { expect, test } from "@jest/globals";
import { paths } from "#platform/hubspot/wire/paths.js";
import { routeTemplate } from "#platform/hubspot/wire/route-template.js";

test("each of our paths has a template without its ids, and no two paths share one", () => {
  const templates = Object.values(paths).map((path) =>
    routeTemplate(typeof path === "string" ? path : path("8812345/ä")),
  );
  expect(templates.filter((template) => template === "other")).toEqual([]);
  expect(templates.filter((template) => /88123|%/.test(template))).toEqual([]);
  expect(new Set(templates).size).toBe(templates.length);
});

test("a path that we do not know does not become a label of its own", () => {
  expect(routeTemplate("/automation/v2/workflows/77/enrollments/contacts/somebody@example.com")).toBe(
    "other",
  );
  expect(routeTemplate("/crm/owners/2026-09/1/2/3")).toBe("other");
});
