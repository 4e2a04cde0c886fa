import { createHash, createHmac } from "node:crypto";
import { expect, test } from "@jest/globals";
import { verifySignature } from "#platform/hubspot/signature.js";

const NOW_MS = Date.UTC(2026, 10, 26, 12);
const SECRET = "the-secret";
const url = "https://enroller.example/hubspot/action";
const body = Buffer.from("{}");

function v3(secret = SECRET, timestamp = NOW_MS) {
  const digest = createHmac("sha256", secret).update(`POST${url}{}${timestamp}`).digest("base64");
  return { "x-hubspot-signature-v3": digest, "x-hubspot-request-timestamp": String(timestamp) };
}

function v2(secret = SECRET) {
  const digest = createHash("sha256").update(`${secret}POST${url}{}`).digest("hex");
  return { "x-hubspot-signature": digest, "x-hubspot-signature-version": "v2" };
}

const verify = (headers: Record<string, string>, mayFallBack: boolean) =>
  verifySignature(
    { method: "POST", url, body, headers },
    { clientSecrets: [SECRET], nowMs: NOW_MS, mayFallBack },
  );

const mismatch = { kind: "refused", reason: "mismatch" };

test("a good v2 stands in for a v3 that does not match, if the caller allows it, and is told apart", () => {
  const headers = { ...v3("another"), ...v2() };
  expect(verify(headers, true)).toEqual({ kind: "valid", version: "v2", isBesideBadV3: true });
  expect(verify(headers, false)).toEqual(mismatch);
});

test("a good v3 needs no v2, be that good, bad or missing", () => {
  for (const beside of [{}, v2(), v2("another")])
    expect(verify({ ...v3(), ...beside }, true)).toEqual({ kind: "valid", version: "v3" });
});

test.each<[what: string, beside: Record<string, string>]>([
  ["no v2", {}],
  ["a v2 that does not match either", v2("another")],
  ["a v2 that is none", { "x-hubspot-signature": "abc", "x-hubspot-signature-version": "v2" }],
  ["a v2 that calls itself v1", { ...v2(), "x-hubspot-signature-version": "v1" }],
])("a bad v3 beside %s is refused as such", (_what, beside) => {
  expect(verify({ ...v3("another"), ...beside }, true)).toEqual(mismatch);
});

test("a stale v3 is refused whatever stands beside it", () => {
  expect(verify({ ...v3(SECRET, NOW_MS - 600_000), ...v2() }, true)).toEqual({
    kind: "refused",
    reason: "stale",
  });
});
