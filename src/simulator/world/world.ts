import type { Agent } from "undici";
import type { Delays } from "./delays.js";
import type { Faults } from "./faults.js";
import type { RequestLog } from "./request-log.js";
import type { AppJournal } from "../journal/app-journal.js";
import type { Grants } from "../authorization/grants.js";
import type { Settings } from "./options.js";
import type { SimulatedPortal } from "../portal.js";
import type { Random } from "./random.js";
import type { RateLimiter } from "./rate-limit.js";
import type { Signals } from "./signals.js";

/** Everything the parts of the simulator share. One per simulator; nothing lives outside it. */
export interface World {
  /** Origin of the simulator itself, known once it listens. */
  url: string;
  readonly settings: Settings;
  /** HubSpot's clock, epoch milliseconds: what it tells, stamps and judges ages by. */
  readonly now: () => number;
  /** The machine's clock, which never jumps when HubSpot's is set: what is measured goes by this one. */
  readonly machineNow: () => number;
  /** A number never given before in this world, counting from 1. */
  readonly nextId: () => number;
  readonly random: Random;
  readonly signals: Signals;
  readonly delays: Delays;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly grants: Grants;
  readonly journal: AppJournal;
  readonly portals: Map<number, SimulatedPortal>;
  readonly requestLog: RequestLog;
  /** Keep-alive connections to the app. */
  readonly outbound: Agent;
}
