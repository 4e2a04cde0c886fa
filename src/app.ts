import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Express } from "express";
import type { Config } from "./config.js";
import type { EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { worded } from "#platform/db/errors.js";
import { boundPipelining } from "#web/kit/bound-pipelining.js";
import { guardConnections } from "#web/kit/guard-connections.js";
import { guardRequestTime } from "#web/kit/request-time.js";
import { tuneFetch } from "#platform/hubspot/tune-fetch.js";
import type { Tracing } from "#platform/observability/tracing/tracing.js";
import type { Logger } from "#platform/observability/logger.js";
import { Closers } from "./compose/closers.js";
import { createFoundation, type Adjustments } from "./compose/foundation.js";

/** The running app. */
export interface App {
  /** Where it listens; with `PORT=0` the port the system chose. A worker listens too, for health and metrics. */
  readonly address: AddressInfo;
  /** Stops accepting calls, lets running work finish for up to `graceMs`, then closes everything, in reverse order. */
  close(options?: { graceMs?: number }): Promise<void>;
}

const DEFAULT_GRACE_MS = 12_000;
/** Answers take a second at most; a connection still busy after this is not ours to wait for. */
const ANSWER_GRACE_MS = 3_000;
/**
 * More connections than HubSpot opens; each may hold one unverified body in memory. A proxy in front counts as one
 * peer, so a peer may have half of them.
 */
const CONNECTION_LIMITS = {
  total: 2_000,
  perPeer: 1_000,
  readingMs: 30_000,
  downloadMs: 300_000,
  sweepMs: 2_000,
};
/** Maximum of concurrent requests on one connection. HubSpot and proxies send the next one after the answer. */
const MOST_PIPELINED = 16;
const SERVER_OPTIONS = {
  /** Deadline for a request's complete headers, from its first byte or the opening of the connection. */
  headersTimeout: 5_000,
  /** Deadline for the whole request, unless its handler takes that over (request-time.ts). */
  requestTimeout: 15_000,
  /** How often both are checked. */
  connectionsCheckingInterval: 2_000,
  /** Longer than proxies keep a connection, so that the proxy closes it, and never while a call is in flight. */
  keepAliveTimeout: 75_000,
};

export interface AppOptions extends Adjustments {
  /** Where traces go; undefined: none are kept. Closed by whoever opened it. */
  readonly tracing?: Tracing | undefined;
  /** The embedded server, if it is starting already. */
  readonly server?: Promise<EmbeddedPostgres> | undefined;
  /** Aborts if the process is asked to stop: a running start is then given up. */
  readonly stopping?: AbortSignal | undefined;
}

async function listen(http: Express, { host, port }: { host: string; port: number }): Promise<Server> {
  const server = createServer(SERVER_OPTIONS, boundPipelining(http, MOST_PIPELINED));
  guardConnections(server, CONNECTION_LIMITS);
  guardRequestTime(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return server;
}

/** Stops accepting connections and waits for the answers in progress, but not for a client that never finishes. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, ANSWER_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/**
 * The composition root: opens the database and the queue, wires the modules, listens, and starts the work. The only
 * place that knows every module.
 *
 * @throws what kept the database or the queue from being opened, or the reason of `stopping`; nothing is left running
 *   then.
 */
export async function startApp(config: Config, logger: Logger, options: AppOptions = {}): Promise<App> {
  const closers = new Closers();
  let graceMs = DEFAULT_GRACE_MS;
  try {
    closers.add(tuneFetch(config.hubspot));
    const { tracing, server, stopping, ...adjustments } = options;
    // Loaded while the database and the queue get ready.
    const wings = Promise.all([
      import("./compose/web.js"),
      config.role === "web" ? undefined : import("./compose/worker.js"),
    ]);
    wings.catch(() => undefined);
    const foundation = await createFoundation(
      { config, logger, tracing, server, stopping, adjustments },
      closers,
    );
    closers.add(() => foundation.queue.stop({ graceMs }));
    const [{ createHttp }, worker] = await wings;
    stopping?.throwIfAborted();
    worker?.startWorker(foundation, closers);
    const listening = await listen(createHttp(foundation), config);
    closers.add(() => closeServer(listening));
    const address = listening.address() as AddressInfo;
    return {
      address,
      close: async (options) => {
        graceMs = options?.graceMs ?? DEFAULT_GRACE_MS;
        await closers.run(logger);
      },
    };
  } catch (error) {
    await closers.run(logger);
    throw worded(error);
  }
}
