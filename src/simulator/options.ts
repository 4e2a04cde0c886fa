import type { FaultPlan } from "./faults.js";
import type { WebhookTarget } from "./workflow/subscriptions.js";

/** Requests one portal grants one app in a rolling window (dossier §6: 110 per 10 s for a marketplace app). */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Fixed, or drawn evenly from a range. Milliseconds. */
export type Latency = number | readonly [number, number];

/** How the token endpoint behaves as a whole: as documented, down (503), or refusing the app's own credentials. */
export type TokenEndpointMode = "ok" | "outage" | "invalid_client";

/** Answers HubSpot's documentation leaves open (dossier §13); each can be turned to the other plausible one. */
export interface OpenQuestions {
  /** Enrollment lookup of a contact that was never enrolled: 404, or 200 with `{}`. Default 404. */
  neverEnrolled: 404 | 200;
  /** Enrollment lookup after the sequence ended: the latest enrollment, or 404. Default "latest". */
  endedEnrollment: "latest" | 404;
  /** Completing a callback HubSpot does not hold. 204 lets load generators use call-back ids of their own. Default 404. */
  unknownCallback: 404 | 400 | 204;
  /** Completing a callback a second time. Default 404. */
  repeatedCallback: 404 | 400 | 204;
  /** A batch of completions with one bad id: refused as a whole, or the good ones are taken. Default "refuse-all". */
  badIdInBatch: "refuse-all" | "take-good";
  /** Whether the 404 of an enrollment says what was not found, the sequence or the contact. Default "named". */
  enrollNotFound: "named" | "bare";
  /** Whether an access token outlives the uninstall of its app. Default false. */
  accessTokenSurvivesUninstall: boolean;
  /** Whether a refresh answers with a new refresh token and kills the old one. Default false. */
  rotateRefreshTokens: boolean;
}

export interface SimulatorOptions {
  /** 0 (the default) takes any free port. The server listens on 127.0.0.1 only. */
  readonly port?: number;
  readonly clientId: string;
  /** The first signs; all are accepted at the token endpoint. */
  readonly clientSecrets: readonly string[];
  readonly appId: string;
  readonly redirectUris: readonly string[];
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
  /** How long the `hs_sequences_*` properties trail behind an enrollment (dossier §7.1: tens of seconds). Default 0. */
  readonly propertyLagMs?: number;
  /** Accepted enrollments per inbox and day (dossier §5.5). Default 1000; a user's own `dailyLimit` may be lower. */
  readonly enrollmentsPerInboxAndDay?: number;
  /** Keeps each API request with its answer, secrets removed, for checks against the OpenAPI files. */
  readonly recordRequests?: boolean;
  readonly openQuestions?: Partial<OpenQuestions>;
  /** Definition id of the enroll action: seeded workflows refer to it as `1-<id>`. */
  readonly actionDefinitionId?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** The options with their defaults; what may change while the simulator runs is not readonly. */
export interface Settings {
  readonly clientId: string;
  readonly clientSecrets: readonly string[];
  readonly appId: string;
  readonly redirectUris: readonly string[];
  readonly requiredScopes: readonly string[];
  readonly optionalScopes: readonly string[];
  readonly conditionalScopes: readonly string[];
  readonly actionDefinitionId: number;
  readonly seed: number;
  readonly recordRequests: boolean;
  readonly enrollmentsPerInboxAndDay: number;
  readonly authorizationCodeSeconds: number;
  accessTokenSeconds: number;
  propertyLagMs: number;
  latencyMs: Latency;
  tokenEndpoint: TokenEndpointMode;
  /** A browser that reaches the consent page is sent on at once in this identity's name. */
  autoConsent: { portalId: number; userId?: number } | undefined;
  /** Undefined: nothing that happens is told to the app. */
  webhookTarget: WebhookTarget | undefined;
  readonly openQuestions: OpenQuestions;
}

const OPEN_QUESTIONS: OpenQuestions = {
  neverEnrolled: 404,
  endedEnrollment: "latest",
  unknownCallback: 404,
  repeatedCallback: 404,
  badIdInBatch: "refuse-all",
  enrollNotFound: "named",
  accessTokenSurvivesUninstall: false,
  rotateRefreshTokens: false,
};

/** Every scope some endpoint of the simulator asks for; what an app that declares none is taken to want. */
const EVERY_SCOPE: readonly string[] = [
  "oauth",
  "automation",
  "automation.sequences.read",
  "automation.sequences.enrollments.write",
  "crm.objects.contacts.read",
  "crm.objects.owners.read",
  "settings.users.read",
  "communication_preferences.read",
];

/** The scopes the app asks for where nobody says which: all it declares. */
export function declaredScopes(settings: Settings): readonly string[] {
  const declared = [...settings.requiredScopes, ...settings.conditionalScopes, ...settings.optionalScopes];
  return declared.length === 0 ? EVERY_SCOPE : declared;
}

export const DEFAULT_RATE_LIMIT: RateLimit = { requests: 110, windowMs: 10_000 };

export function settingsFrom(options: SimulatorOptions): Settings {
  return {
    clientId: options.clientId,
    clientSecrets: options.clientSecrets,
    appId: options.appId,
    redirectUris: options.redirectUris,
    requiredScopes: options.requiredScopes ?? [],
    optionalScopes: options.optionalScopes ?? [],
    conditionalScopes: options.conditionalScopes ?? [],
    actionDefinitionId: options.actionDefinitionId ?? 170_012_345,
    seed: options.seed ?? 1,
    recordRequests: options.recordRequests ?? false,
    enrollmentsPerInboxAndDay: options.enrollmentsPerInboxAndDay ?? 1000,
    authorizationCodeSeconds: options.authorizationCodeSeconds ?? 60,
    accessTokenSeconds: options.accessTokenSeconds ?? 1800,
    propertyLagMs: options.propertyLagMs ?? 0,
    latencyMs: options.latencyMs ?? 0,
    tokenEndpoint: "ok",
    autoConsent: undefined,
    webhookTarget: undefined,
    openQuestions: { ...OPEN_QUESTIONS, ...options.openQuestions },
  };
}
