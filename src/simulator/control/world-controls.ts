import { z } from "zod";
import { playConsent } from "../authorization/play-consent.js";
import { ENDPOINTS, FAULTS } from "../world/faults.js";
import { openQuestionsSchema } from "../world/open-questions.js";
import { clockOffsetSchema, latencySchema } from "../world/options.js";
import { seedPortal, type PortalSeed } from "../seeding.js";
import { TROUBLES } from "../portal/troubles.js";
import type { ControlRoute } from "./control-route.js";
import { portalSummary } from "./summaries.js";

const rates = z.partialRecord(z.enum(FAULTS), z.number().min(0).max(1));
const range = z.tuple([z.number().nonnegative(), z.number().nonnegative()]);
const faultPlan = z
  .partialRecord(z.enum([...ENDPOINTS, "all"]), rates)
  .and(z.object({ slowMs: range.optional() }));

const scriptedFault = z.strictObject({
  endpoint: z.enum(ENDPOINTS),
  fault: z.enum(FAULTS),
  times: z.int().positive().optional(),
  portalId: z.int().optional(),
  status: z.int().min(500).max(599).optional(),
  ms: z.number().nonnegative().optional(),
});

const manyOrListed = z.union([z.int().nonnegative(), z.array(z.record(z.string(), z.unknown()))]);
const portalSeed = z.strictObject({
  portalId: z.int().positive().optional(),
  name: z.string().optional(),
  timeZone: z.string().optional(),
  uiDomain: z.string().optional(),
  unavailableScopes: z.array(z.string()).optional(),
  users: manyOrListed.optional(),
  sequences: manyOrListed.optional(),
  contacts: manyOrListed.optional(),
  troubles: z.partialRecord(z.enum(TROUBLES), z.int().nonnegative()).optional(),
});

const latency = z.object({ latencyMs: latencySchema });
const rateLimit = z.union([
  z.object({ off: z.literal(true) }),
  z.object({ requests: z.int().positive(), windowMs: z.int().positive() }),
]);
const tokenEndpoint = z.object({
  mode: z.enum(["ok", "outage", "invalid_client"]).optional(),
  accessTokenSeconds: z.number().positive().optional(),
});
const propertyLag = z.strictObject({ propertyLagMs: latencySchema });
const lookupLag = z.strictObject({ lookupLagMs: latencySchema });
const clock = z.strictObject({ clockOffsetMs: clockOffsetSchema });
const webhookTarget = z.union([
  z.object({ off: z.literal(true) }),
  z.object({ url: z.url(), publicUrl: z.url().optional() }),
]);
const identity = z.object({ portalId: z.int(), userId: z.int().optional() });
const authorize = identity.extend({ url: z.url(), deny: z.boolean().optional() });

/** Controls of the whole simulator. */
export const WORLD_CONTROLS: readonly ControlRoute[] = [
  {
    method: "GET",
    path: "/state",
    answer: ({ world }) => ({
      url: world.url,
      faults: world.faults.counts(),
      portals: [...world.portals.values()].map((portal) => portalSummary(world, portal)),
    }),
  },
  { method: "GET", path: "/requests", answer: ({ world }) => ({ requests: world.requestLog.entries }) },
  {
    method: "POST",
    path: "/portals",
    // The record lists were checked to be lists of records; a wrong entry shows when it is used.
    answer: ({ world, body }) =>
      portalSummary(world, seedPortal(world, portalSeed.parse(body) as PortalSeed)),
  },
  {
    method: "POST",
    path: "/authorize",
    answer: ({ world, body }) => {
      const { url, ...choice } = authorize.parse(body);
      return { callbackUrl: playConsent(world, url, withoutUndefined(choice)) };
    },
  },
  {
    method: "PUT",
    path: "/auto-consent",
    answer: ({ world, body }) => {
      const choice = z.union([z.object({ off: z.literal(true) }), identity]).parse(body);
      world.settings.autoConsent = "off" in choice ? undefined : withoutUndefined(choice);
    },
  },
  {
    method: "PUT",
    path: "/faults",
    answer: ({ world, body }) => {
      world.faults.setPlan(withoutUndefined(faultPlan.parse(body)));
    },
  },
  {
    method: "POST",
    path: "/failures",
    answer: ({ world, body }) => {
      world.faults.script(withoutUndefined(scriptedFault.parse(body)));
    },
  },
  {
    method: "PUT",
    path: "/latency",
    answer: ({ world, body }) => {
      world.settings.latencyMs = latency.parse(body).latencyMs;
    },
  },
  {
    method: "PUT",
    path: "/property-lag",
    answer: ({ world, body }) => {
      world.settings.propertyLagMs = propertyLag.parse(body).propertyLagMs;
    },
  },
  {
    method: "PUT",
    path: "/lookup-lag",
    answer: ({ world, body }) => {
      world.settings.lookupLagMs = lookupLag.parse(body).lookupLagMs;
    },
  },
  {
    method: "PUT",
    path: "/clock",
    answer: ({ world, body }) => {
      world.settings.clockOffsetMs = clock.parse(body).clockOffsetMs;
    },
  },
  {
    method: "PUT",
    path: "/open-questions",
    answer: ({ world, body }) => {
      const answers = withoutUndefined(openQuestionsSchema.partial().parse(body));
      world.settings.openQuestions = { ...world.settings.openQuestions, ...answers };
    },
  },
  {
    method: "PUT",
    path: "/webhook-target",
    answer: ({ world, body }) => {
      const target = webhookTarget.parse(body);
      world.settings.webhookTarget = "off" in target ? undefined : target;
    },
  },
  {
    method: "PUT",
    path: "/rate-limit",
    answer: ({ world, body }) => {
      const limit = rateLimit.parse(body);
      world.limiter.setLimit("off" in limit ? undefined : limit);
    },
  },
  {
    method: "PUT",
    path: "/token-endpoint",
    answer: ({ world, body }) => {
      const { mode, accessTokenSeconds } = tokenEndpoint.parse(body);
      if (mode !== undefined) world.settings.tokenEndpoint = mode;
      if (accessTokenSeconds !== undefined) world.settings.accessTokenSeconds = accessTokenSeconds;
    },
  },
  {
    method: "POST",
    path: "/expire-access-tokens",
    answer: ({ world }) => {
      world.grants.expireAccessTokens();
    },
  },
];

type Known<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Zod leaves optional members as `undefined`, which our exact optional types do not take. */
export function withoutUndefined<T extends object>(value: T): Known<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Known<T>;
}
