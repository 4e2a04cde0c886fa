import { expect, test } from "@jest/globals";
import { startProcessStage } from "../support/process-stage.js";

// In a process of its own: under jest, the platform's fetch does not use the dispatcher that the app sets.
test("an enroll request answered by a redirect is not sent again to where that points; the contact is read instead", async () => {
  const stage = await startProcessStage({ contacts: 12 });
  try {
    const { simulator, cast } = stage;
    simulator.failNext({ endpoint: "enroll", fault: "redirectAfter", times: 3 });
    await stage.run().finished;
    expect(simulator.faultCounts()["enroll/redirectAfter"]).toBe(3);
    expect(stage.enrolledTwice()).toEqual([]);
    expect(stage.enrolledCount()).toBe(12 - cast.troubled.size);
    const posts = cast.contactIds.map((id) => cast.portal.enrollments.factsOf(id).posts);
    expect(Math.max(...posts)).toBe(1);
  } finally {
    await stage.close({ graceMs: 0 });
  }
});
