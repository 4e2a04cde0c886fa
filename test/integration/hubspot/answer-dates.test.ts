import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bareTransport } from "../../support/bare-transport.js";
import { startListener, type Listener } from "../../support/simulated-app.js";

const DATE = "Fri, 20 Nov 2026 12:00:00 GMT";
const HTML = { "content-type": "text/html; charset=utf-8" };

let hubspot: Listener;
let answer: Parameters<typeof startListener>[0];

beforeAll(async () => {
  hubspot = await startListener((request, index) => answer(request, index));
});

afterAll(() => hubspot.close());

/** The dates from which HubSpot's clock is learned, for one request. */
async function datesHeard(): Promise<(string | null | undefined)[]> {
  const dates: (string | null | undefined)[] = [];
  const call = bareTransport(hubspot.url, { onAnswer: ({ date }) => void dates.push(date) });
  await call({ method: "GET", path: "/crm/v3/owners" }).catch(() => undefined);
  return dates;
}

test.each([
  ["a success", { body: {}, headers: { date: DATE } }],
  ["a refusal", { status: 404, body: { status: "error", message: "none" }, headers: { date: DATE } }],
])("HubSpot's time is learned from %s of its own", async (_what, given) => {
  answer = () => given;
  expect(await datesHeard()).toEqual([DATE]);
});

test.each([
  ["an outage", { status: 502, body: { message: "Bad gateway" }, headers: { date: DATE } }],
  ["a page of an outage", { status: 503, body: "<html>", headers: { ...HTML, date: DATE } }],
  ["a page that forbids", { status: 403, body: "<html>", headers: { ...HTML, date: DATE } }],
])(
  "and not from %s, which what stands in front of HubSpot writes by a clock of its own",
  async (_what, given) => {
    answer = () => given;
    expect(await datesHeard()).toEqual([undefined]);
  },
);
