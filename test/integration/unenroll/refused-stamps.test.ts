import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { QUICK, startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

let stage: UnenrollStage;
let onStep: (step: string) => void = () => undefined;

beforeAll(async () => {
  stage = await startUnenrollStage({
    // The helper workflow is slower than all of this.
    simulator: { flowDelayMs: 60_000 },
    unenrolling: {
      times: QUICK,
      onStep: (step) => {
        onStep(step);
      },
    },
  });
});

beforeEach(() => stage.switchOn());

afterEach(() => {
  onStep = () => undefined;
  letWrite(true);
});

afterAll(() => stage.close());

const letWrite = (isAllowed: boolean) => {
  stage.portal.contactProperties.setReadOnly(STAMP_PROPERTY, !isAllowed);
};

/** What waits to be tried again is due now. */
const passWait = () =>
  stage.running.db.database.pool.query("UPDATE unenrollments SET due_at = now() WHERE state = 'CLEARING'");

/** The process dies once the stamp is written and before that is stored; from then on HubSpot lets nobody write it. */
const dieOnceStamped = (onDeath: () => void) => (step: string) => {
  if (step !== "note stamp") return;
  onStep = () => undefined;
  onDeath();
  throw new Error("killed before the stamp is noted");
};

describe("a stamp that HubSpot refuses when it is sent again after a crash", () => {
  test("is still emptied, once HubSpot takes that, and the workflow does not wait for it", async () => {
    onStep = dieOnceStamped(() => {
      letWrite(false);
    });
    const contactId = stage.enrolledContact();
    const run = stage.unenroll([contactId]);
    expect(await stage.outputsOf(run)).toMatchObject({ outcome: "NOT_SUPPORTED" });
    expect(stage.isStamped(contactId)).toBe(true);
    letWrite(true);
    await passWait();
    await stage.until(() => !stage.isStamped(contactId), "the end of the stamp");
  });

  test("may have worked: a step that replaces goes by what HubSpot shows once the stamp is gone", async () => {
    const contactId = stage.enrolledContact();
    onStep = dieOnceStamped(() => {
      letWrite(false);
      stage.portal.endEnrollment(contactId, "unenrolled");
    });
    const run = stage.enroll([contactId], { if_already_enrolled: "replace" });
    await stage.until(async () => {
      const { rowCount } = await stage.running.db.database.pool.query(
        "SELECT FROM unenrollments WHERE state = 'CLEARING' AND tries > 0",
      );
      return rowCount === 1;
    }, "the refusal");
    letWrite(true);
    await passWait();
    expect(await stage.outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(stage.isStamped(contactId)).toBe(false);
  });
});

describe("a stamp that HubSpot refuses at once", () => {
  test.each([
    ["for what the property is", () => letWrite(false)],
    ["for want of a permission", () => stage.portal.withdrawScopes(["crm.objects.contacts.write"])],
  ])("%s was not set: a step that replaces is told so, and waits for nothing", async (_why, refuse) => {
    refuse();
    const contactId = stage.enrolledContact();
    const outputs = await stage.outputsOf(stage.enroll([contactId], { if_already_enrolled: "replace" }));
    expect(outputs).toMatchObject({ enrollment_status: "ALREADY_ENROLLED" });
    expect(stage.isStamped(contactId)).toBe(false);
  });
});
