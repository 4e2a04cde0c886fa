import { expect, test } from "@jest/globals";
import { findInputProblem, type GivenInputs } from "#web/actions/enroll-inputs.js";

const given = (more: Partial<GivenInputs>): GivenInputs => ({
  sequence_id: "1",
  sender_mode: "contact_owner",
  sender_user_id: undefined,
  rotation_id: undefined,
  sender_alias: undefined,
  preset_id: undefined,
  if_already_enrolled: undefined,
  cooldown_days: undefined,
  not_before: undefined,
  ...more,
});

test("an alias longer than an address can be is refused, and not cut into another one", () => {
  expect(findInputProblem(given({ sender_alias: "sales@acme.example" }))).toBeUndefined();
  expect(findInputProblem(given({ sender_alias: `${"a".repeat(400)}@acme.example` }))).toBe(
    "The sender alias isn't an email address.",
  );
});
