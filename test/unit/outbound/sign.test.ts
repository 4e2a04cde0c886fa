import { expect, test } from "@jest/globals";
import { makeSigningSecret, signatureHeaders } from "#platform/outbound/sign.js";

/** The first is the example of the specification; the others were made by its library for JavaScript (standardwebhooks 1.1.1). */
const MESSAGE = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
const AT = new Date(1_614_265_330_000);
const SIGNATURES: readonly [secret: string, signature: string][] = [
  ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
  ["whsec_YW5vdGhlciBzZWNyZXQsIG9mIDMyIGJ5dGVzIC4uLi4=", "v1,j3OXyJa+hqXeelzk4O84Ioo7/vsxKRt4TS0aGpIjnhI="],
];

test.each(SIGNATURES)("a message is signed with %s as other implementations sign it", (secret, signature) => {
  expect(signatureHeaders({ ...MESSAGE, secrets: [secret], now: AT })).toEqual({
    "webhook-id": MESSAGE.id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": signature,
  });
});

test("while a secret is being replaced, a message has a signature of each", () => {
  const secrets = SIGNATURES.map(([secret]) => secret);
  const signatures = SIGNATURES.map(([, signature]) => signature).join(" ");
  expect(signatureHeaders({ ...MESSAGE, secrets, now: AT })["webhook-signature"]).toBe(signatures);
});

test("a new secret has 256 bits, and no other is like it", () => {
  const secrets = Array.from({ length: 100 }, makeSigningSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});
