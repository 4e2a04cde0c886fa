import { expect, test } from "@jest/globals";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import { recoverable } from "#worker/attempt/attempt-faults.js";

test.each([
  [undefined, "MISSING_SCOPES"],
  ["MISSING_SCOPES", "MISSING_SCOPES"],
  ["PERMISSION_DENIED", "SENDER_NOT_PERMITTED"],
])("a read that HubSpot refuses with 403 and category %s is told as %s", (category, errorCode) => {
  const refused = new HubSpotRejected({ httpStatus: 403, message: "No access to owners", category });
  expect(recoverable(refused, {} as ClaimedExecution, "QUEUED")).toMatchObject({
    outcome: { errorCode, errorMessage: expect.stringContaining("No access to owners") },
  });
});
