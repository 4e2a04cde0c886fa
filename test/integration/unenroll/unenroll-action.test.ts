import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { HELPER_NAME, STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

describe("the action that takes contacts out of their sequence", () => {
  let stage: UnenrollStage;

  beforeAll(async () => {
    stage = await startUnenrollStage();
  });

  afterAll(() => stage.close());

  const helpers = () => stage.portal.flows.all().filter(({ name }) => name === HELPER_NAME);

  test("says NOT_SUPPORTED, and writes nothing, while the account has not switched it on", async () => {
    const contactId = stage.enrolledContact();
    expect(await stage.outputsOf(stage.unenroll([contactId]))).toMatchObject({
      hs_execution_state: "SUCCESS",
      outcome: "NOT_SUPPORTED",
      error_code: "",
    });
    expect(stage.portal.enrollments.activeOf(contactId)).toBeDefined();
    expect(helpers()).toEqual([]);
  });

  test("makes one helper workflow and a property when it is switched on", async () => {
    await stage.switchOn();
    expect(helpers()).toMatchObject([{ isEnabled: true, actions: [{ actionTypeId: "0-4702372" }] }]);
    expect(stage.portal.contactProperties.find(STAMP_PROPERTY)).toMatchObject({ hidden: true });
  });

  test("ends the enrollment, says which one it was, and leaves no stamp", async () => {
    const contactId = stage.enrolledContact();
    const enrollment = stage.portal.enrollments.activeOf(contactId);
    const outputs = await stage.outputsOf(stage.unenroll([contactId]));
    expect(outputs).toEqual({
      hs_execution_state: "SUCCESS",
      outcome: "UNENROLLED",
      sequence_id: stage.sequenceIds[0],
      sequence_name: stage.portal.sequences.get(stage.sequenceIds[0] ?? "")?.name,
      enrolled_at: new Date(enrollment?.enrolledAtMs ?? 0).toISOString(),
      error_code: "",
      error_message: "",
    });
    expect(stage.portal.enrollments.activeOf(contactId)).toBeUndefined();
    expect(stage.isStamped(contactId)).toBe(false);
  });

  test("says NOT_ENROLLED of a contact in no sequence, without stamping it", async () => {
    const { id } = stage.portal.addContact();
    const entries = stage.portal.flowEntries.length;
    expect(await stage.outputsOf(stage.unenroll([id]))).toMatchObject({
      outcome: "NOT_ENROLLED",
      sequence_id: "",
    });
    expect(stage.portal.flowEntries).toHaveLength(entries);
  });

  test("says CONTACT_NOT_FOUND of a contact that HubSpot does not have", async () => {
    expect(await stage.outputsOf(stage.unenroll(["999999999"]))).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      outcome: "",
      error_code: "CONTACT_NOT_FOUND",
    });
  });

  test("takes two calls for the same contact one after the other", async () => {
    const contactId = stage.enrolledContact();
    const runs = [stage.unenroll([contactId]), stage.unenroll([contactId])];
    const outcomes = await Promise.all(runs.map(async (run) => (await stage.outputsOf(run))["outcome"]));
    expect(outcomes).toContain("UNENROLLED");
    expect(["UNENROLLED", "NOT_ENROLLED"]).toEqual(expect.arrayContaining(outcomes));
    expect(stage.isStamped(contactId)).toBe(false);
  });

  test("stamps many contacts with few requests", async () => {
    const contactIds = Array.from({ length: 30 }, () => stage.enrolledContact());
    const run = stage.unenroll(contactIds);
    await run.finished;
    expect(run.executions.map(({ outputs }) => outputs["outcome"])).toEqual(Array(30).fill("UNENROLLED"));
    expect(contactIds.filter((id) => stage.isStamped(id))).toEqual([]);
  });

  test("is not used once a person has turned the helper workflow off, and leaves it as it is", async () => {
    const [helper] = helpers();
    if (helper === undefined) throw new Error("there is no helper workflow");
    stage.portal.flows.replace(helper, { ...helper, isEnabled: false }, Date.now());
    const { pool } = stage.running.db.database;
    await pool.query("UPDATE unenroll_setups SET checked_at = now() - interval '2 minutes'");
    const contactId = stage.enrolledContact();
    expect(await stage.outputsOf(stage.unenroll([contactId]))).toMatchObject({ outcome: "NOT_SUPPORTED" });
    expect(stage.isStamped(contactId)).toBe(false);
    expect(await stage.setup()).toMatchObject({ state: "ON", problem: "DISABLED" });
    expect(helpers()).toMatchObject([{ isEnabled: false }]);
    const { rows } = await pool.query(`SELECT message FROM alerts WHERE kind = 'UNENROLL_BROKEN'`);
    expect(rows).not.toEqual([]);
  });
});
