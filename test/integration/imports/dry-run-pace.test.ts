import { expect, test } from "@jest/globals";
import { api, app, defaults, portal, reach, useImportsStage } from "../../support/imports-stage.js";

useImportsStage();

test("a dry run uses up to half of the account's requests, and no more", async () => {
  const rows = 3_000;
  const emails = Array.from({ length: rows }, (_, row) => `nobody${row}@lead.example`);
  const { body } = await api.ask("POST", "/api/v1/imports", {
    body: `Email\n${emails.join("\n")}\n`,
    headers: { "Content-Type": "text/csv" },
  });
  await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: { defaults: defaults() } });
  const before = app.simulator.peakOf(portal.portalId);
  await api.post(`/api/v1/imports/${body.id}/dry-run`);
  const { counts } = await reach(body.id, "CHECKED");
  expect(counts.reasons).toEqual({ CONTACT_NOT_FOUND: rows });
  const most = app.simulator.peakOf(portal.portalId);
  expect(most).toBeGreaterThan(before + 15);
  expect(most).toBeLessThanOrEqual(before + 55);
});
