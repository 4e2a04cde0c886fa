import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Signature } from "@hubspot/api-client";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { verifySignature, type SignatureVerdict, type SignedRequest } from "#platform/hubspot/signature.js";
import {
  SECRET,
  OLD_SECRET,
  URL,
  BODY,
  NOW_MS,
  FIVE_MINUTES_MS,
  V3_VALID,
  V2_VALID,
  refused,
  v3Headers,
  v2Headers,
  verify,
} from "../../support/signed-request.js";

describe("digests computed outside this code base", () => {
  // By `openssl dgst -sha256 -hmac "$SECRET" -binary | base64` over METHOD + URL + body + timestamp.
  const timestamp = { "x-hubspot-request-timestamp": "1795212000000" };

  test("openssl's v3 digest of an action call is accepted", () => {
    const signature = "iYZCWkJm9KyMQrOMyxiG/Xn7UI0KzJbmsGTNZwWMDkA=";
    expect(verify({ ...timestamp, "x-hubspot-signature-v3": signature })).toEqual(V3_VALID);
  });

  test("openssl's v3 digest of a body with non-ASCII text is accepted", () => {
    const signature = "thh/JIEReAUhH+NyOYD9rRgKubDkHue/+SgdBplfp+Q=";
    const body = '{"name":"Zoë 你好"}';
    expect(verify({ ...timestamp, "x-hubspot-signature-v3": signature }, { body })).toEqual(V3_VALID);
  });

  test("openssl's v3 and v2 digests of bytes that are not UTF-8 are accepted", () => {
    const body = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    const v3 = "RISQ31S8MObMcwCPH12C50pkKFIrYAAeqTAvYinkEZc=";
    const v2 = "83b1b9b5fb43785fedd70c48f0893153597959ca7eea2ea59db2b79a3dbead6a";
    expect(verify({ ...timestamp, "x-hubspot-signature-v3": v3 }, { body })).toEqual(V3_VALID);
    expect(verify({ "x-hubspot-signature": v2, "x-hubspot-signature-version": "v2" }, { body })).toEqual(
      V2_VALID,
    );
  });

  test("openssl's v3 digest of a decoded URL is accepted for the URL as it was sent", () => {
    const sent =
      "https://enroller.example.com/hubspot/settings/executions?userEmail=ann%40acme.example&at=10%3A30&name=a%20b";
    const headers = {
      ...timestamp,
      "x-hubspot-signature-v3": "0lkrCTDiyq7FGRyVWdgJ3kGDMqmGOALWpAXOQha6tfw=",
    };
    expect(verify(headers, { method: "GET", url: sent, body: "" })).toEqual(V3_VALID);
  });

  test("openssl's v2 digest of an action call is accepted", () => {
    const signature = "7591cb3ad1cd577dacd802618d966341876c840a3a1bec66a20c033e2783368a";
    expect(verify({ "x-hubspot-signature": signature, "x-hubspot-signature-version": "v2" })).toEqual(
      V2_VALID,
    );
  });

  // The worked examples of https://developers.hubspot.com/docs/faq/v2-request-validation
  test.each([
    ["GET", "", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"],
    [
      "POST",
      '{"example_field":"example_value"}',
      "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
    ],
  ])("HubSpot's own example of a v2 %s is accepted", (method, body, signature) => {
    const clientSecrets = ["yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"];
    const headers = { "x-hubspot-signature": signature, "x-hubspot-signature-version": "v2" };
    expect(
      verify(headers, { method, body, url: "https://www.example.com/webhook_uri", clientSecrets }),
    ).toEqual(V2_VALID);
  });
});

describe("HubSpot's own client", () => {
  const cases = [
    { method: "POST", url: URL, body: BODY },
    { method: "GET", url: `${URL}?b=2&a=1&a=0&q=%20x`, body: "" },
    { method: "POST", url: URL, body: '{"name":"Zoë 你好 🎉"}' },
  ];

  test.each(cases)("agrees with us on v3: $method $url", ({ method, url, body }) => {
    const timestamp = Date.now();
    const signed = { clientSecret: SECRET, url, requestBody: body, timestamp, signature: "" };
    const signature = Signature.getSignature(method, "v3", signed);
    const headers = { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": String(timestamp) };
    expect(Signature.isValid({ ...signed, method, signature, signatureVersion: "v3" })).toBe(true);
    expect(verify(headers, { method, url, body, nowMs: timestamp })).toEqual(V3_VALID);
    expect(
      Signature.isValid({
        ...signed,
        method,
        signature,
        signatureVersion: "v3",
        requestBody: `${body} `,
      }),
    ).toBe(false);
    expect(verify(headers, { method, url, body: `${body} `, nowMs: timestamp })).toEqual(refused("mismatch"));
  });

  test.each(cases)("agrees with us on v2: $method $url", ({ method, url, body }) => {
    const headers = v2Headers({ method, url, body });
    const signed = {
      clientSecret: SECRET,
      url,
      method,
      signature: headers["x-hubspot-signature"],
      signatureVersion: "v2",
    };
    expect(Signature.isValid({ ...signed, requestBody: body })).toBe(true);
    expect(verify(headers, { method, url, body })).toEqual(V2_VALID);
    expect(Signature.isValid({ ...signed, requestBody: `${body} ` })).toBe(false);
    expect(verify(headers, { method, url, body: `${body} ` })).toEqual(refused("mismatch"));
  });
});

describe("which signature counts", () => {
  test("a request without any signature is refused", () => {
    expect(verify({})).toEqual(refused("missing"));
    expect(verify({ "x-hubspot-request-timestamp": String(NOW_MS) })).toEqual(refused("missing"));
  });

  test("a good v3 is taken before anything else is looked at", () => {
    expect(verify({ ...v3Headers({}), ...v2Headers({}) })).toEqual(V3_VALID);
    expect(
      verify({ ...v3Headers({}), "x-hubspot-signature": "rubbish", "x-hubspot-signature-version": "v1" }),
    ).toEqual(V3_VALID);
  });

  test.each([
    ["made with another secret", v3Headers({ secret: "someone-else" }), "mismatch"],
    ["stale", v3Headers({ timestamp: NOW_MS - FIVE_MINUTES_MS - 1 }), "stale"],
    ["from the future", v3Headers({ timestamp: NOW_MS + FIVE_MINUTES_MS + 1 }), "stale"],
    ["empty", { ...v3Headers({}), "x-hubspot-signature-v3": "" }, "malformed"],
    [
      "without a timestamp",
      { "x-hubspot-signature-v3": v3Headers({})["x-hubspot-signature-v3"] },
      "malformed",
    ],
    [
      "given twice",
      { ...v3Headers({}), "x-hubspot-signature-v3": `${v3Headers({})["x-hubspot-signature-v3"]}, x` },
      "malformed",
    ],
  ])("a v3 that is %s is refused even beside a good v2", (_what, v3, reason) => {
    expect(verify({ ...v3, ...v2Headers({}) })).toEqual(refused(reason));
  });

  test("a v1 signature is refused, whatever version it claims", () => {
    const signature = createHash("sha256")
      .update(SECRET + BODY)
      .digest("hex");
    expect(verify({ "x-hubspot-signature": signature, "x-hubspot-signature-version": "v1" })).toEqual(
      refused("unsupported_version"),
    );
    expect(verify({ "x-hubspot-signature": signature, "x-hubspot-signature-version": "v2" })).toEqual(
      refused("mismatch"),
    );
    expect(verify({ "x-hubspot-signature": signature })).toEqual(refused("mismatch"));
  });

  test("a v2 signature that names no version is judged as v2", () => {
    const { "x-hubspot-signature": signature } = v2Headers({});
    expect(verify({ "x-hubspot-signature": signature })).toEqual(V2_VALID);
  });

  test.each(["", "v1", "v3", "V2", "2", "v2, v2", "v1, v2"])(
    "a good v2 signature beside version %j is refused",
    (version) => {
      const { "x-hubspot-signature": signature } = v2Headers({});
      const headers = { "x-hubspot-signature": signature, "x-hubspot-signature-version": version };
      expect(verify(headers)).toEqual(refused("unsupported_version"));
    },
  );

  test("a signature with anything before or after it is no signature", () => {
    for (const more of ["0", "A", "=", "x", " ", "\n"]) {
      for (const around of [(text: string) => more + text, (text: string) => text + more]) {
        const v3 = v3Headers({});
        const v2 = v2Headers({});
        v3["x-hubspot-signature-v3"] = around(v3["x-hubspot-signature-v3"]);
        v2["x-hubspot-signature"] = around(v2["x-hubspot-signature"]);
        expect(verify(v3)).toEqual(refused("malformed"));
        expect(verify(v2)).toEqual(refused("malformed"));
      }
    }
  });

  test("headers that arrive as arrays are refused", () => {
    const v3 = v3Headers({});
    const v2 = v2Headers({});
    expect(verify({ ...v3, "x-hubspot-signature-v3": [v3["x-hubspot-signature-v3"]] })).toEqual(
      refused("malformed"),
    );
    expect(verify({ ...v3, "x-hubspot-request-timestamp": [v3["x-hubspot-request-timestamp"]] })).toEqual(
      refused("malformed"),
    );
    expect(verify({ ...v2, "x-hubspot-signature": [v2["x-hubspot-signature"]] })).toEqual(
      refused("malformed"),
    );
    expect(verify({ ...v2, "x-hubspot-signature-version": ["v2"] })).toEqual(refused("unsupported_version"));
  });
});

describe("while the client secret is being rotated", () => {
  const clientSecrets = [SECRET, OLD_SECRET];

  test("the new and the old secret are both accepted, a third is not", () => {
    for (const secret of clientSecrets) {
      expect(verify(v3Headers({ secret }), { clientSecrets })).toEqual(V3_VALID);
      expect(verify(v2Headers({ secret }), { clientSecrets })).toEqual(V2_VALID);
    }
    expect(verify(v3Headers({ secret: "third" }), { clientSecrets })).toEqual(refused("mismatch"));
    expect(verify(v2Headers({ secret: "third" }), { clientSecrets })).toEqual(refused("mismatch"));
  });

  test("the old secret is refused once it is taken out", () => {
    expect(verify(v3Headers({ secret: OLD_SECRET }))).toEqual(refused("mismatch"));
  });

  test("the old secret is tried with the decoded URL as well", () => {
    const headers = v3Headers({ secret: OLD_SECRET, url: `${URL}?a=b:c` });
    expect(verify(headers, { url: `${URL}?a=b%3Ac`, clientSecrets })).toEqual(V3_VALID);
  });
});

describe("any request", () => {
  const anyRequest = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
    url: fc.webUrl({ withQueryParameters: true }),
    body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    secret: fc.string({ minLength: 1 }),
  });
  const anyAge = fc.integer({ min: -FIVE_MINUTES_MS, max: FIVE_MINUTES_MS });
  const verifyOf = (
    { method, url, body, secret }: SignedParts,
    headers: IncomingHttpHeaders,
  ): SignatureVerdict =>
    verifySignature({ method, url, body, headers } satisfies SignedRequest, {
      clientSecrets: [secret],
      nowMs: NOW_MS,
    });
  interface SignedParts {
    method: string;
    url: string;
    body: Buffer;
    secret: string;
  }

  test("that HubSpot signed is accepted", () => {
    fc.assert(
      fc.property(anyRequest, anyAge, (request, age) => {
        expect(verifyOf(request, v3Headers({ ...request, timestamp: NOW_MS + age }))).toEqual(V3_VALID);
        expect(verifyOf(request, v2Headers(request))).toEqual(V2_VALID);
      }),
    );
  });

  /** Flips one bit of a text without leaving ASCII, so that the result can stand in a header or a URL. */
  function flip(text: string, position: number): string {
    const at = Math.floor(position / 7) % text.length;
    const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << (position % 7)));
    return text.slice(0, at) + flipped + text.slice(at + 1);
  }
  const position = fc.nat(1_000_000);

  test("with one bit changed in any signed part or header is refused", () => {
    fc.assert(
      fc.property(anyRequest, position, (request, at) => {
        const v3 = v3Headers(request);
        const v2 = v2Headers(request);
        const changed: [SignedParts, IncomingHttpHeaders][] = [
          [request, { ...v3, "x-hubspot-signature-v3": flip(v3["x-hubspot-signature-v3"], at) }],
          [request, { ...v3, "x-hubspot-request-timestamp": flip(v3["x-hubspot-request-timestamp"], at) }],
          [request, { ...v2, "x-hubspot-signature": flip(v2["x-hubspot-signature"], at) }],
          [request, { ...v2, "x-hubspot-signature-version": flip("v2", at) }],
        ];
        for (const headers of [v3, v2]) {
          changed.push([{ ...request, method: flip(request.method, at) }, headers]);
          changed.push([{ ...request, secret: flip(request.secret, at) }, headers]);
          // %3A and %3a decode alike in v3, so a bit that only changes an escape's case changes nothing that is signed.
          if (!request.url.includes("%")) changed.push([{ ...request, url: flip(request.url, at) }, headers]);
          if (request.body.length > 0)
            changed.push([{ ...request, body: flipBytes(request.body, at) }, headers]);
        }
        for (const [parts, headers] of changed) expect(verifyOf(parts, headers).kind).toBe("refused");
      }),
    );
  });

  function flipBytes(bytes: Buffer, at: number): Buffer {
    const copy = Buffer.from(bytes);
    const index = Math.floor(at / 8) % copy.length;
    copy[index] = (copy[index] ?? 0) ^ (1 << (at % 8));
    return copy;
  }

  test("with headers full of rubbish is refused, never a crash", () => {
    const rubbish = fc.oneof(fc.string({ unit: "binary" }), fc.base64String(), fc.array(fc.string()));
    const headers = fc.record(
      {
        "x-hubspot-signature": rubbish,
        "x-hubspot-signature-version": fc.oneof(rubbish, fc.constant("v2")),
        "x-hubspot-signature-v3": rubbish,
        "x-hubspot-request-timestamp": fc.oneof(rubbish, fc.constant(String(NOW_MS))),
      },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(headers, (given) => expect(verify(given).kind).toBe("refused")));
  });
});
