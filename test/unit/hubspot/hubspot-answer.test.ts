import { describe, expect, test } from "@jest/globals";
import { classifyAnswer, classifyNetworkFault } from "#platform/hubspot/answer.js";
import {
  HubSpotAnsweredWithPage,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
} from "#platform/hubspot/errors.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";

/** With which the request was made: no word with capitals and digits, by which its shape would be known. */
const TOKEN = "an-access-token-of-small-letters";

function openBudget(): RequestBudget {
  return new RequestBudget({ limit: 110, windowMs: 10_000, now: () => 0 });
}

async function faultOf(status: number, body: string, headers: Record<string, string> = {}): Promise<unknown> {
  const budget = openBudget();
  const slot = budget.tryTake()!;
  return classifyAnswer(new Response(body, { status, headers }), { budget, slot, token: TOKEN }).then(
    () => undefined,
    (fault: unknown) => fault,
  );
}

const json = JSON.stringify({ status: "error", message: "no", category: "VALIDATION_ERROR" });
const page = "<html><body>Error</body></html>";

describe("an answer from HubSpot", () => {
  test.each([
    ...[400, 403, 404, 409, 422, 431, 451].map((status) => [status, json, HubSpotRejected] as const),
    [401, page, HubSpotRejected] as const,
    [404, "", HubSpotRejected] as const,
    ...[400, 403, 404, 409].map((status) => [status, page, HubSpotAnsweredWithPage] as const),
    ...[403, 404].map((status) => [status, "[]", HubSpotAnsweredWithPage] as const),
    ...[403, 404].map((status) => [status, `[${json}]`, HubSpotRejected] as const),
    ...[408, 423, 425, 440, 460, 477, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530].map(
      (status) => [status, json, HubSpotUnavailable] as const,
    ),
    ...[300, 305, 399].map((status) => [status, json, HubSpotUnavailable] as const),
    [200, "not JSON", HubSpotUnavailable] as const,
    [429, json, HubSpotThrottled] as const,
    [429, page, HubSpotThrottled] as const,
  ])("of %i with %j is read as what it is", async (status, body, kind) => {
    const fault = await faultOf(status, body);
    expect((fault as Error).constructor).toBe(kind);
    // Only a 429 is known to have done nothing.
    if (fault instanceof HubSpotUnavailable) expect(fault.wasNotSent).toBe(status === 429);
  });

  test.each([
    ["DAILY", 3_600_000],
    ["SECONDLY", 1_000],
    ["TEN_SECONDLY_ROLLING", 10_000],
    ["A_NEW_ONE", 10_000],
  ])("of 429 by the policy %s names its own wait if HubSpot names none", async (policyName, waitMs) => {
    const body = JSON.stringify({ policyName, message: "too many" });
    expect(await faultOf(429, body)).toMatchObject({ policyName, retryAfterMs: waitMs });
    expect(await faultOf(429, body, { "retry-after": "3" })).toMatchObject({ retryAfterMs: 3_000 });
  });

  test("of 429 has the portal rest as long as it asks for, half a minute at most", async () => {
    for (const [asked, restMs] of [
      ["3", 3_000],
      ["600", 30_000],
    ] as const) {
      const budget = openBudget();
      const slot = budget.tryTake()!;
      const answer = new Response(json, { status: 429, headers: { "retry-after": asked } });
      await expect(classifyAnswer(answer, { budget, slot, token: TOKEN })).rejects.toBeInstanceOf(
        HubSpotThrottled,
      );
      expect(budget.msUntilAvailable()).toBe(restMs);
    }
  });

  test("of 477, while HubSpot moves the account, may ask for hours", async () => {
    expect(await faultOf(477, json, { "retry-after": "7200" })).toMatchObject({ retryAfterMs: 7_200_000 });
    expect(await faultOf(503, json, { "retry-after": "7200" })).toMatchObject({ retryAfterMs: 900_000 });
  });

  test("that is a refusal keeps HubSpot's words and categories", async () => {
    const told = { message: "no inbox", category: "VALIDATION_ERROR", subCategory: "NO_CONNECTED_EMAILS" };
    expect(await faultOf(400, JSON.stringify(told))).toMatchObject({
      hubspotMessage: "no inbox",
      category: "VALIDATION_ERROR",
      codes: ["NO_CONNECTED_EMAILS"],
    });
  });

  test.each([null, {}, 7, ["a"]])(
    "keeps its other parts where the sub-category is %j",
    async (subCategory) => {
      const told = { subCategory, message: "no", category: "VALIDATION_ERROR", errors: subCategory };
      expect(await faultOf(403, JSON.stringify(told))).toMatchObject({
        hubspotMessage: "no",
        category: "VALIDATION_ERROR",
      });
      const limit = { ...told, policyName: "DAILY", message: subCategory };
      expect(await faultOf(429, JSON.stringify(limit))).toMatchObject({
        policyName: "DAILY",
        retryAfterMs: 3_600_000,
      });
    },
  );

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["a refusal", { category: "VALIDATION_ERROR" }, { code: "HUBSPOT_REJECTED", httpStatus: 400 }],
    ["a record that is gone", { category: "OBJECT_NOT_FOUND" }, { httpStatus: 404 }],
    ["an outage", { errorType: "INTERNAL_ERROR" }, { code: "HUBSPOT_UNAVAILABLE" }],
    ["a limit", { errors: [{ policyName: "DAILY" }] }, { policyName: "DAILY", retryAfterMs: 3_600_000 }],
  ])("of 200 that calls itself an error is %s", async (_what, told, fault) => {
    expect(await faultOf(200, JSON.stringify({ status: "error", message: "no", ...told }))).toMatchObject(
      fault,
    );
  });

  test("of 200 with a result is a success, whatever its status is called", async () => {
    for (const body of [{ id: "7", status: "error" }, { status: "error" }, { results: [], status: "error" }])
      expect(await faultOf(200, JSON.stringify(body))).toBeUndefined();
  });

  test.each([400, 403])("of %i that names a rate limit is one", async (status) => {
    const told = { status: "error", errorType: "RATE_LIMIT", message: "no" };
    expect(await faultOf(status, JSON.stringify(told))).toMatchObject({ code: "HUBSPOT_THROTTLED" });
  });

  test("without words shows an admin the name of the error, or nothing, but no JSON", async () => {
    expect(await faultOf(400, JSON.stringify({ errorType: "NEW_ERROR", message: null }))).toMatchObject({
      hubspotMessage: "NEW_ERROR",
    });
    expect(await faultOf(400, JSON.stringify({ secret: 1 }))).toMatchObject({
      hubspotMessage: "no reason given",
    });
  });

  test("that is a whole page tells an admin none of it", async () => {
    expect(((await faultOf(503, page)) as Error).message).toBe("HubSpot answered 503: no reason given");
  });

  test.each<[string, (secret: string) => string]>([
    ["message", (secret) => JSON.stringify({ message: `refused: ${secret}`, category: "VALIDATION_ERROR" })],
    ["message of thousands of characters", (secret) => JSON.stringify({ message: "x".repeat(470) + secret })],
    ["code", (secret) => JSON.stringify({ errorType: secret.split(" ").at(-1) })],
    ["list of errors", (secret) => JSON.stringify({ errors: [{ message: secret }, { message: secret }] })],
    ["message that quotes JSON", (secret) => JSON.stringify({ message: JSON.stringify({ sent: secret }) })],
    ["page of plain text", (secret) => `Bad gateway after ${secret}`],
  ])("whose %s repeats the request's credentials shows nobody any of them", async (_where, bodyOf) => {
    const foreign = `Bearer CLqZ${"x7Kd".repeat(12)}`;
    const refresh = "refresh_token=na1-0a1b-2c3d-4e5f";
    for (const secret of [TOKEN, `Bearer ${TOKEN}`, foreign, refresh])
      for (const status of [200, 400, 403, 404, 429, 502]) {
        const body = bodyOf(secret);
        if (status === 200 && !body.startsWith("{")) continue;
        const told = JSON.stringify([await faultOf(status, body), String(await faultOf(status, body))]);
        for (const part of [TOKEN, "CLqZx7Kd", "0a1b-2c3d"])
          expect([status, secret, told.includes(part)]).toEqual([status, secret, false]);
      }
  });

  test("of 423 is waited for two seconds at least", async () => {
    expect(await faultOf(423, json)).toMatchObject({ retryAfterMs: 2_000 });
  });

  test("with a message cut inside a character keeps whole characters", async () => {
    const message = `${"a".repeat(499)}🚀`;
    const fault = await faultOf(400, JSON.stringify({ message }));
    expect((fault as HubSpotRejected).hubspotMessage).toBe("a".repeat(499));
  });
});

describe("a fault of the network", () => {
  const faultAt = (syscall: string | undefined, code: string): Error =>
    Object.assign(new Error(`${syscall} ${code}`), { code, ...(syscall && { syscall }) });
  const fetchFailed = (cause: unknown): TypeError => new TypeError("fetch failed", { cause });
  const wasNotSent = (cause: unknown): boolean =>
    (classifyNetworkFault(fetchFailed(cause)) as HubSpotUnavailable).wasNotSent;

  test.each([
    ["getaddrinfo", "ENOTFOUND"],
    ["getaddrinfo", "EAI_AGAIN"],
    ["connect", "ECONNREFUSED"],
    ["connect", "EHOSTUNREACH"],
    ["connect", "ENETUNREACH"],
    ["connect", "ETIMEDOUT"],
    ["connect", "EADDRNOTAVAIL"],
    [undefined, "UND_ERR_CONNECT_TIMEOUT"],
  ])("at %s (%s) came before the request was sent", (syscall, code) => {
    expect(wasNotSent(faultAt(syscall, code))).toBe(true);
  });

  test.each([
    ["read", "EHOSTUNREACH"],
    ["read", "ENETUNREACH"],
    ["write", "ECONNREFUSED"],
    ["read", "ECONNRESET"],
    ["write", "EPIPE"],
    [undefined, "UND_ERR_SOCKET"],
    [undefined, "EHOSTUNREACH"],
  ])("at %s (%s) may have come after HubSpot had the request", (syscall, code) => {
    expect(wasNotSent(faultAt(syscall, code))).toBe(false);
  });

  test("of a name with several addresses came before only if it did with each", () => {
    const refused = faultAt("connect", "ECONNREFUSED");
    expect(wasNotSent(new AggregateError([refused, faultAt("connect", "EHOSTUNREACH")]))).toBe(true);
    expect(wasNotSent(new AggregateError([refused, faultAt("read", "ECONNRESET")]))).toBe(false);
    expect(wasNotSent(new AggregateError([]))).toBe(false);
  });
});

describe("the rate headers of an answer", () => {
  async function budgetAfter(headers: Record<string, string>): Promise<RequestBudget> {
    const budget = openBudget();
    const slot = budget.tryTake()!;
    await classifyAnswer(new Response("{}", { headers }), { budget, slot, token: TOKEN });
    slot.settle();
    return budget;
  }
  const rate = (max: string, remaining: string): Record<string, string> => ({
    "x-hubspot-ratelimit-max": max,
    "x-hubspot-ratelimit-remaining": remaining,
  });

  test("are learned from where they make sense", async () => {
    const budget = await budgetAfter(rate("50", "40"));
    expect([budget.allowance, budget.counted()]).toEqual([50, 10]);
  });

  test.each([
    ["999999999999", "0"],
    ["1000000000", "1"],
    ["100", "-5000000"],
    ["100", "101"],
    ["0", "0"],
    ["-1", "-2"],
    ["1e308", "0"],
    ["NaN", "NaN"],
    ["100.5", "1"],
    ["100, 100", "99, 99"],
  ])("are ignored where they cannot be true: max %s, remaining %s", async (max, remaining) => {
    const budget = await budgetAfter(rate(max, remaining));
    expect([budget.allowance, budget.counted()]).toEqual([undefined, 1]);
  });

  test("of another interval say nothing about our window", async () => {
    const headers = { ...rate("50", "40"), "x-hubspot-ratelimit-interval-milliseconds": "1000" };
    expect((await budgetAfter(headers)).allowance).toBeUndefined();
  });
});
