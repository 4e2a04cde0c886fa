import { z } from "zod";
import type { FaultPlan } from "./faults.js";
import { DEFAULT_ANSWERS, openQuestionsSchema, type OpenQuestions } from "./open-questions.js";
import type { WebhookTarget } from "../workflow/subscriptions.js";

/** Requests one portal grants one app in a rolling window (docs/hubspot.md §6: 110 per 10 s for a marketplace app). */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Fixed, or drawn evenly from a range. Milliseconds. */
export type Latency = number | readonly [number, number];

const milliseconds = z.number().nonnegative();

export const latencySchema = z.union([
  milliseconds,
  z.tuple([milliseconds, milliseconds]).refine(([low, high]) => low <= high, "the range is upside down"),
]) satisfies z.ZodType<Latency>;

/**
 * The app refuses signatures older than five minutes, and HubSpot signs by its own clock: further apart than this, it
 * would refuse every call, with nothing left to test.
 */
const MOST_CLOCK_OFFSET_MS = 240_000;

export const clockOffsetSchema = z.number().min(-MOST_CLOCK_OFFSET_MS).max(MOST_CLOCK_OFFSET_MS);

/** How the token endpoint behaves as a whole: as documented, down (503), or refusing the app's own credentials. */
export type TokenEndpointMode = "ok" | "outage" | "invalid_client";

export interface SimulatorOptions {
  /** 0 (the default) takes any free port. The server listens on 127.0.0.1 only. */
  readonly port?: number;
  readonly clientId: string;
  /** The first signs; all are accepted at the token endpoint. */
  readonly clientSecrets: readonly string[];
  readonly appId: string;
  readonly redirectUris: readonly string[];
  /** What the consent page calls the app. Default "An app". */
  readonly appName?: string;
  /** A browser passes the consent page without a click once somebody agreed there. Default false. */
  readonly asksOnce?: boolean;
  /** Scopes the app declares. With none of the three lists given, any scope may be asked for. */
  readonly requiredScopes?: readonly string[];
  readonly optionalScopes?: readonly string[];
  readonly conditionalScopes?: readonly string[];
  /** Default 110 per 10 s, rolling; false turns limiting off. */
  readonly rateLimit?: RateLimit | false;
  readonly latencyMs?: Latency;
  readonly faults?: FaultPlan;
  /** Everything drawn at random comes from here; the same seed and the same calls give the same world. Default 1. */
  readonly seed?: number;
  readonly accessTokenSeconds?: number;
  readonly authorizationCodeSeconds?: number;
  /**
   * Open: how long the `hs_sequences_*` properties trail behind an enrollment; tens of seconds were seen.
   * Kind: 0, the default. Unkind: a range, from which each change draws. A contact's changes stay in their order.
   */
  readonly propertyLagMs?: Latency;
  /**
   * Open: whether the lookup of an enrollment shows one that was made a moment ago; nothing promises it. Kind: 0, the
   * default. Unkind: a range, from which each enrollment draws; until then the lookup shows the contact as it was
   * before. "Already enrolled" is answered at once even so.
   */
  readonly lookupLagMs?: Latency;
  /**
   * Open: how far HubSpot's clock is from ours. Kind: 0, the default. Unkind: some seconds, above 0 if HubSpot's is
   * ahead; 240,000 at most. Every time HubSpot sends is by its clock: the `Date` header, `enrolledAt`, properties,
   * `occurredAt`, and the timestamps of signatures too, since it signs by the same clock.
   */
  readonly clockOffsetMs?: number;
  /**
   * Open: how long a contact takes from one step of a workflow to the next; about 80 s were seen before HubSpot's unenroll
   * step took effect. Kind: 0, the default. Unkind: a range, from which each step draws.
   */
  readonly flowDelayMs?: Latency;
  /** Accepted enrollments per inbox and day (docs/hubspot.md §5.5). Default 1000; a user's own `dailyLimit` may be lower. */
  readonly enrollmentsPerInboxAndDay?: number;
  /** Keeps each API request with its answer, secrets removed, for checks against the OpenAPI files. */
  readonly recordRequests?: boolean;
  readonly openQuestions?: Partial<OpenQuestions>;
  /** Definition id of the enroll action: seeded workflows refer to it as `1-<id>`. */
  readonly actionDefinitionId?: number;
  /** The machine's clock, epoch milliseconds; HubSpot's own is `clockOffsetMs` from it. */
  readonly now?: () => number;
}

/** The options with their defaults; what may change while the simulator runs is not readonly. */
export interface Settings {
  readonly clientId: string;
  readonly clientSecrets: readonly string[];
  readonly appId: string;
  readonly redirectUris: readonly string[];
  readonly appName: string;
  readonly asksOnce: boolean;
  readonly requiredScopes: readonly string[];
  readonly optionalScopes: readonly string[];
  readonly conditionalScopes: readonly string[];
  readonly actionDefinitionId: number;
  readonly seed: number;
  readonly recordRequests: boolean;
  readonly enrollmentsPerInboxAndDay: number;
  readonly authorizationCodeSeconds: number;
  accessTokenSeconds: number;
  propertyLagMs: Latency;
  lookupLagMs: Latency;
  flowDelayMs: Latency;
  clockOffsetMs: number;
  latencyMs: Latency;
  tokenEndpoint: TokenEndpointMode;
  /** A browser that reaches the consent page is sent on at once in this identity's name. */
  autoConsent: { portalId: number; userId?: number } | undefined;
  /** Undefined: nothing that happens is told to the app. */
  webhookTarget: WebhookTarget | undefined;
  openQuestions: OpenQuestions;
}

/** Every scope some endpoint of the simulator asks for; what an app that declares none is taken to want. */
const EVERY_SCOPE: readonly string[] = [
  "oauth",
  "automation",
  "automation.sequences.read",
  "automation.sequences.enrollments.write",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.schemas.contacts.write",
  "crm.objects.owners.read",
  "settings.users.read",
  "communication_preferences.read",
];

/** The scopes the app asks for if nobody says which: all it declares. */
export function declaredScopes(settings: Settings): readonly string[] {
  const declared = [...settings.requiredScopes, ...settings.conditionalScopes, ...settings.optionalScopes];
  return declared.length === 0 ? EVERY_SCOPE : declared;
}

export const DEFAULT_RATE_LIMIT: RateLimit = { requests: 110, windowMs: 10_000 };

/** @throws ZodError for a lag, an offset or an open answer that does not exist. */
export function settingsFrom(options: SimulatorOptions): Settings {
  return {
    clientId: options.clientId,
    clientSecrets: options.clientSecrets,
    appId: options.appId,
    redirectUris: options.redirectUris,
    appName: options.appName ?? "An app",
    asksOnce: options.asksOnce ?? false,
    requiredScopes: options.requiredScopes ?? [],
    optionalScopes: options.optionalScopes ?? [],
    conditionalScopes: options.conditionalScopes ?? [],
    actionDefinitionId: options.actionDefinitionId ?? 170_012_345,
    seed: options.seed ?? 1,
    recordRequests: options.recordRequests ?? false,
    enrollmentsPerInboxAndDay: options.enrollmentsPerInboxAndDay ?? 1000,
    authorizationCodeSeconds: options.authorizationCodeSeconds ?? 60,
    accessTokenSeconds: options.accessTokenSeconds ?? 1800,
    propertyLagMs: latencySchema.parse(options.propertyLagMs ?? 0),
    lookupLagMs: latencySchema.parse(options.lookupLagMs ?? 0),
    flowDelayMs: latencySchema.parse(options.flowDelayMs ?? 0),
    clockOffsetMs: clockOffsetSchema.parse(options.clockOffsetMs ?? 0),
    latencyMs: latencySchema.parse(options.latencyMs ?? 0),
    tokenEndpoint: "ok",
    autoConsent: undefined,
    webhookTarget: undefined,
    openQuestions: openQuestionsSchema.parse({ ...DEFAULT_ANSWERS, ...options.openQuestions }),
  };
}
