import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { Delays } from "./world/delays.js";
import { Faults, type FaultPlan, type ScriptedFault } from "./world/faults.js";
import { receive } from "./server/receive.js";
import { RequestLog, type RecordedRequest } from "./world/request-log.js";
import type { ConsentChoice } from "./authorization/authorize.js";
import { Grants } from "./authorization/grants.js";
import { stepAuthorizeUrl, type MarketplaceInstall } from "./authorization/marketplace.js";
import { playConsent, playListingWithoutSignIn } from "./authorization/play-consent.js";
import { openQuestionsSchema, type OpenQuestions } from "./world/open-questions.js";
import {
  clockOffsetSchema,
  DEFAULT_RATE_LIMIT,
  latencySchema,
  settingsFrom,
  type Latency,
  type RateLimit,
  type SimulatorOptions,
  type TokenEndpointMode,
} from "./world/options.js";
import type { SimulatedPortal } from "./portal.js";
import { seedPortal, type PortalSeed } from "./seeding.js";
import { randomFrom } from "./world/random.js";
import { refuse, type Answer } from "./wire/answer.js";
import { send } from "./wire/body.js";
import { RateLimiter } from "./world/rate-limit.js";
import { AppJournal } from "./journal/app-journal.js";
import { Signals } from "./world/signals.js";
import { signedHeaders, type Signable, type SigningPlan } from "./world/signing.js";
import type { WebhookTarget } from "./workflow/subscriptions.js";
import type { World } from "./world/world.js";

/** A running simulation of api.hubapi.com and app.hubspot.com, both at `url`. */
export interface Simulator {
  /** Origin, on 127.0.0.1. */
  readonly url: string;
  readonly portals: ReadonlyMap<number, SimulatedPortal>;
  readonly signals: Signals;
  /** The webhooks journal of the app. */
  readonly journal: AppJournal;
  addPortal(seed?: PortalSeed): SimulatedPortal;
  /**
   * Acts as the person on the consent page: takes the URL the app sent the browser to (an authorize URL, or a
   * marketplace `returnUrl` with the app's state) and returns the callback URL the browser goes to next.
   *
   * @throws AuthorizeRefused if the page would show an error.
   */
  authorize(url: string, choice: ConsentChoice): string;
  /** The app's redirect URL with `step=authorize`, as the marketplace's install button has it (docs/hubspot.md §2.2). */
  beginMarketplaceInstall(install: MarketplaceInstall): string;
  /** Consent given on a listing without partner sign-in: a callback with a code and no state. @throws AuthorizeRefused */
  installWithoutSignIn(install: MarketplaceInstall & { readonly userId?: number }): string;
  /** From now on browsers pass the consent page without a click; undefined shows it again. */
  setAutoConsent(choice: { portalId: number; userId?: number } | undefined): void;
  setFaults(plan: FaultPlan): void;
  /** Makes the next matching requests fail in one given way. */
  failNext(fault: ScriptedFault): void;
  /** How often each fault struck, by `endpoint/fault`. */
  faultCounts(): Record<string, number>;
  setLatency(latencyMs: Latency): void;
  /** Resets every portal's window. */
  setRateLimit(limit: RateLimit | false): void;
  setTokenEndpoint(mode: TokenEndpointMode): void;
  setAccessTokenSeconds(seconds: number): void;
  /** Applies to what happens from now on. @throws ZodError, as do the three after it. */
  setPropertyLag(lagMs: Latency): void;
  /** Applies to enrollments made from now on. */
  setLookupLag(lagMs: Latency): void;
  /** Sets HubSpot's clock; earlier timestamps stay. */
  setClockOffset(offsetMs: number): void;
  /** Answers some of the open questions another way from now on. */
  setOpenQuestions(answers: Partial<OpenQuestions>): void;
  /** From now on the app is sent changes of contacts; undefined: it is not. */
  setWebhookTarget(target: WebhookTarget | undefined): void;
  /** For one portal, or for all. */
  expireAccessTokens(portalId?: number): void;
  /** Most requests of the portal inside one rolling window so far; at most the limit. */
  peakOf(portalId: number): number;
  /** Requests kept with `recordRequests`. */
  readonly requests: readonly RecordedRequest[];
  /** Signature headers as HubSpot would make them, for requests a test builds itself. */
  sign(request: Signable, plan?: SigningPlan): Record<string, string>;
  waitFor(holds: () => boolean, options?: { timeoutMs?: number; what?: string }): Promise<void>;
  /** Stops listening, drops every connection, timer and waiter. */
  close(): Promise<void>;
}

/** Starts a simulator on 127.0.0.1. Rejects when the port is taken, or an option makes no sense. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = worldFrom(options);
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    receive(world, request, response).catch((error: unknown) => {
      // Half a request from a client that disconnected is nobody's fault; anything else is ours and must be seen.
      if (!request.complete) response.destroy();
      else send(response, ownFault(error));
    });
  });
  world.url = await listen(server, options.port ?? 0);
  return { ...knobs(world), ...authorization(world), ...insight(world), close: () => close(world, server) };
}

function ownFault(error: unknown): Answer {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return refuse(500, { category: "SIMULATOR_FAULT", message });
}

function worldFrom(options: SimulatorOptions): World {
  const settings = settingsFrom(options);
  const machineNow = options.now ?? Date.now;
  const now = (): number => machineNow() + settings.clockOffsetMs;
  const random = randomFrom(settings.seed);
  let lastId = 0;
  const signals = new Signals();
  return {
    url: "",
    settings,
    now,
    machineNow,
    nextId: () => ++lastId,
    random,
    signals,
    journal: new AppJournal(signals, now),
    delays: new Delays(),
    faults: new Faults(randomFrom(settings.seed + 1), options.faults),
    limiter: new RateLimiter(
      options.rateLimit === false ? undefined : (options.rateLimit ?? DEFAULT_RATE_LIMIT),
    ),
    grants: new Grants(settings, now),
    portals: new Map(),
    requestLog: new RequestLog(settings.recordRequests),
    outbound: new Agent({ keepAliveTimeout: 30_000, connections: 256 }),
  };
}

function knobs(world: World) {
  const { settings, faults, limiter, grants } = world;
  return {
    addPortal: (seed?: PortalSeed) => seedPortal(world, seed),
    setFaults: (plan: FaultPlan) => {
      faults.setPlan(plan);
    },
    failNext: (fault: ScriptedFault) => {
      faults.script(fault);
    },
    setLatency: (latencyMs: Latency) => {
      settings.latencyMs = latencyMs;
    },
    setRateLimit: (limit: RateLimit | false) => {
      limiter.setLimit(limit === false ? undefined : limit);
    },
    setTokenEndpoint: (mode: TokenEndpointMode) => {
      settings.tokenEndpoint = mode;
    },
    setAccessTokenSeconds: (seconds: number) => {
      settings.accessTokenSeconds = seconds;
    },
    setPropertyLag: (lagMs: Latency) => {
      settings.propertyLagMs = latencySchema.parse(lagMs);
    },
    setLookupLag: (lagMs: Latency) => {
      settings.lookupLagMs = latencySchema.parse(lagMs);
    },
    setClockOffset: (offsetMs: number) => {
      settings.clockOffsetMs = clockOffsetSchema.parse(offsetMs);
    },
    setOpenQuestions: (answers: Partial<OpenQuestions>) => {
      settings.openQuestions = openQuestionsSchema.parse({ ...settings.openQuestions, ...answers });
    },
    setWebhookTarget: (target: WebhookTarget | undefined) => {
      settings.webhookTarget = target;
    },
    expireAccessTokens: (portalId?: number) => {
      grants.expireAccessTokens(portalId);
    },
  };
}

function authorization(world: World) {
  return {
    authorize: (url: string, choice: ConsentChoice) => playConsent(world, url, choice),
    beginMarketplaceInstall: (install: MarketplaceInstall) => stepAuthorizeUrl(world, install),
    installWithoutSignIn: (install: MarketplaceInstall & { readonly userId?: number }) =>
      playListingWithoutSignIn(world, install),
    setAutoConsent: (choice: { portalId: number; userId?: number } | undefined) => {
      world.settings.autoConsent = choice;
    },
  };
}

function insight(world: World) {
  const { signals, settings, faults, limiter } = world;
  return {
    url: world.url,
    portals: world.portals,
    signals,
    journal: world.journal,
    requests: world.requestLog.entries,
    faultCounts: () => faults.counts(),
    peakOf: (portalId: number) => limiter.peakOf(portalId),
    sign: (request: Signable, plan?: SigningPlan) =>
      signedHeaders(request, {
        secret: settings.clientSecrets[0] ?? "",
        nowMs: world.now(),
        ...(plan === undefined ? {} : { plan }),
      }),
    waitFor: (holds: () => boolean, options?: { timeoutMs?: number; what?: string }) =>
      signals.waitFor(holds, options),
  };
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}

async function close(world: World, server: Server): Promise<void> {
  world.delays.cancelAll();
  world.signals.abandonAll();
  await world.outbound.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
