import { describe, expect, test } from "@jest/globals";
import {
  URL,
  NOW_MS,
  FIVE_MINUTES_MS,
  V3_VALID,
  V2_VALID,
  refused,
  v3Headers,
  v2Headers,
  verify,
} from "../../support/signed-request.js";

describe("time", () => {
  test("five minutes either way are accepted, a millisecond more is not", () => {
    for (const distance of [0, FIVE_MINUTES_MS, -FIVE_MINUTES_MS]) {
      expect(verify(v3Headers({ timestamp: NOW_MS + distance }))).toEqual(V3_VALID);
    }
    for (const distance of [FIVE_MINUTES_MS + 1, -FIVE_MINUTES_MS - 1]) {
      expect(verify(v3Headers({ timestamp: NOW_MS + distance }))).toEqual(refused("stale"));
    }
  });

  test("a timestamp in seconds is a time long ago", () => {
    expect(verify(v3Headers({ timestamp: NOW_MS / 1000 }))).toEqual(refused("stale"));
  });

  test.each([
    "",
    "NaN",
    "Infinity",
    "1795212000000.0",
    "1.795212e12",
    "0x1a1fb1d7f00",
    "+1795212000000",
    "-1",
    " ",
    "0",
    "01795212000000",
    "1795212000000 ",
    "99999999999999999999",
    "1795212000000, 1795212000000",
    "１７９５２１２００００００",
  ])("a signed timestamp %j is refused as malformed", (timestamp) => {
    expect(verify(v3Headers({ timestamp }))).toEqual(refused("malformed"));
  });

  test("a timestamp that was not the one signed is refused", () => {
    const headers = { ...v3Headers({}), "x-hubspot-request-timestamp": String(NOW_MS + 1) };
    expect(verify(headers)).toEqual(refused("mismatch"));
  });
});

describe("the bytes signed", () => {
  test.each([
    ["v3", v3Headers],
    ["v2", v2Headers],
  ] as const)("%s: a body parsed and printed again is other bytes", (_version, sign) => {
    const body = '{ "b": 1.0,\n  "a": "\\u00e9" }';
    expect(verify(sign({ body }), { body }).kind).toBe("valid");
    expect(verify(sign({ body }), { body: JSON.stringify(JSON.parse(body)) })).toEqual(refused("mismatch"));
  });

  test.each([
    ["v3", v3Headers],
    ["v2", v2Headers],
  ] as const)("%s: bytes that are no UTF-8 are not replaced before hashing", (_version, sign) => {
    const body = Buffer.from([0x7b, 0xff, 0x7d]);
    const replaced = Buffer.from(body.toString("utf8"));
    expect(verify(sign({ body }), { body }).kind).toBe("valid");
    expect(verify(sign({ body }), { body: replaced })).toEqual(refused("mismatch"));
  });

  test.each([
    ["v3", v3Headers],
    ["v2", v2Headers],
  ] as const)("%s: an empty body is signed as nothing", (_version, sign) => {
    expect(verify(sign({ method: "GET", body: "" }), { method: "GET", body: "" }).kind).toBe("valid");
    expect(verify(sign({ method: "GET", body: "" }), { method: "GET", body: "{}" })).toEqual(
      refused("mismatch"),
    );
  });

  test.each([
    ["v3", v3Headers],
    ["v2", v2Headers],
  ] as const)("%s: method, scheme, host, path and the order of the query all count", (_version, sign) => {
    const url = `${URL}?portalId=1&userId=2`;
    const headers = sign({ url });
    expect(verify(headers, { url }).kind).toBe("valid");
    expect(verify(headers, { url: `${URL}?userId=2&portalId=1` })).toEqual(refused("mismatch"));
    expect(verify(headers, { url: url.replace("https:", "http:") })).toEqual(refused("mismatch"));
    expect(verify(headers, { url: url.replace("enroller.", "other.") })).toEqual(refused("mismatch"));
    expect(verify(headers, { url, method: "PUT" })).toEqual(refused("mismatch"));
  });
});

describe("escapes in a v3 URL", () => {
  const escapes = [..."%3A %2F %3F %40 %21 %24 %27 %28 %29 %2A %2C %3B".split(" ")];

  test.each(escapes)("%s may have been decoded before signing, or not", (escape) => {
    const sent = `${URL}?value=a${escape}b`;
    const decoded = `${URL}?value=a${decodeURIComponent(escape)}b`;
    expect(verify(v3Headers({ url: sent }), { url: sent })).toEqual(V3_VALID);
    expect(verify(v3Headers({ url: decoded }), { url: sent })).toEqual(V3_VALID);
    for (const forged of [{ url: `${URL}?value=other` }, { url: sent, secret: "guessed" }])
      expect(verify(v3Headers(forged), { url: sent })).toEqual(refused("mismatch"));
  });

  test.each(["%20", "%2B", "%26", "%3D", "%23", "%25", "%C3%A9", "%253A"])(
    "%s is never decoded",
    (escape) => {
      const sent = `${URL}?value=a${escape}b`;
      const decoded = `${URL}?value=a${decodeURIComponent(escape)}b`;
      expect(verify(v3Headers({ url: sent }), { url: sent })).toEqual(V3_VALID);
      expect(verify(v3Headers({ url: decoded }), { url: sent })).toEqual(refused("mismatch"));
    },
  );

  test("a lone percent sign does no harm", () => {
    const url = `${URL}?value=100%&rest=%3`;
    expect(verify(v3Headers({ url }), { url })).toEqual(V3_VALID);
  });

  test("v2 is signed over the URL exactly as sent", () => {
    const sent = `${URL}?value=a%3Ab`;
    expect(verify(v2Headers({ url: sent }), { url: sent })).toEqual(V2_VALID);
    expect(verify(v2Headers({ url: `${URL}?value=a:b` }), { url: sent })).toEqual(refused("mismatch"));
  });
});
