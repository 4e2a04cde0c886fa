import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { switchOffUnenroll } from "#domain/unenroll/change-setup.js";
import { adminOf } from "../support/actors.js";
import { requestValidator, responseValidator, specDirectory } from "../support/openapi.js";
import { startUnenrollStage, type UnenrollStage } from "../support/unenroll-stage.js";

const directory = specDirectory();
if (directory === undefined)
  console.warn("Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check by them.");

const suite = directory === undefined ? describe.skip : describe;

/** What unenrolling asks of HubSpot besides what every enrollment does. */
const ENDPOINTS: readonly [name: string, method: string, path: RegExp][] = [
  ["the search for a helper workflow", "GET", /^\/automation\/v4\/flows$/],
  ["the making of one", "POST", /^\/automation\/v4\/flows$/],
  ["a look at it", "GET", /^\/automation\/v4\/flows\/\d+$/],
  ["its deletion", "DELETE", /^\/automation\/v4\/flows\/\d+$/],
  ["stamps of many contacts", "POST", /^\/crm\/objects\/2026-09\/contacts\/batch\/update$/],
  ["a look at many contacts", "POST", /^\/crm\/objects\/2026-09\/contacts\/batch\/read$/],
];
/** HubSpot's OpenAPI file for this family is not among those we have. */
const WITHOUT_FILE = /^\/crm\/properties\//;

suite("every request of unenrolling and replacing keeps HubSpot's published contract", () => {
  let stage: UnenrollStage;

  beforeAll(async () => {
    stage = await startUnenrollStage({ simulator: { recordRequests: true } });
    await stage.switchOn();
    const [leaving, moving] = [stage.enrolledContact(), stage.enrolledContact()];
    const runs = [stage.unenroll([leaving]), stage.enroll([moving], { if_already_enrolled: "replace" })];
    await Promise.all(runs.map(({ finished }) => finished));
    expect(runs.flatMap(({ executions }) => executions.map(({ outputs }) => outputs["error_code"]))).toEqual([
      "",
      "",
    ]);
    // Its hourly look, now.
    await stage.running.db.database.pool.query(
      "UPDATE unenroll_setups SET due_at = now() - interval '1 millisecond'",
    );
    await stage.until(() => seen("a look at it").length > 0, "a look at the helper workflow");
    await switchOffUnenroll(stage.running.db.database.pool, adminOf(stage.portal.portalId));
    await stage.until(async () => (await stage.setup()) === undefined, "the removal");
  });

  afterAll(() => stage.close());

  const seen = (name: string) => {
    const [, method, path] = ENDPOINTS.find(([known]) => known === name) ?? [];
    return stage.running.simulator.requests.filter(
      (request) => request.method === method && path?.test(request.path) && request.status < 300,
    );
  };

  test.each(ENDPOINTS)("%s was sent, and answered well", (name) => {
    expect(seen(name).length).toBeGreaterThan(0);
  });

  test("each request is valid, and so is what the simulator answers", () => {
    const [request, answer] = [requestValidator(directory ?? ""), responseValidator(directory ?? "")];
    const checked = stage.running.simulator.requests.filter(({ path }) => !WITHOUT_FILE.test(path));
    const problems = checked.flatMap((sent) =>
      [...request(sent), ...answer(sent)].map((problem) => `${sent.method} ${sent.path}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });
});
