import { setTimeout as sleep } from "node:timers/promises";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { keepEvidence } from "./evidence.js";
import { randomFrom } from "../../src/simulator/world/random.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { START_TIMEOUT_MS } from "./app-process.js";
import { CompletionWatch } from "./completion-watch.js";
import { Disturber, type Disturbance } from "./disturbances.js";
import { BREAKS, type Break } from "./hostile-proxy.js";
import type { ChaosOptions } from "./options.js";
import { RecoveryWatch, type Recovery } from "./recovery.js";
import { isForgotten, type Restore } from "./restore.js";
import { capSenders } from "./sender-caps.js";
import { startStage, type Stage } from "./stage.js";
import { judge, isKept, type Verdict } from "./verdict.js";
import {
  API_FAULTS,
  castPortal,
  ENROLLED_BEFORE_SHARE,
  endFormerSequences,
  endSequencesEarly,
  runWorkflows,
  type Cast,
} from "./workload.js";

/** Requests per 10 s per portal: more than HubSpot's 110, so that a run of thousands of calls takes a minute or two. */
export const RATE_LIMIT = 400;
/** Keeps requests under way at any moment, so that a kill finds some. */
const LATENCY_MS = [20, 300] as const;
/** Calls enter at this pace, so that the kills fall all over the run. */
const CALLS_PER_SECOND = 60;
const RESTART_MS = [200, 2_000] as const;
/**
 * After the last disturbance and the last fault: time to finish what is open, backoffs and takeovers included. An enroll
 * request whose answer was lost is sent again only once HubSpot has shown no trace of it for a minute and a half.
 */
const CALM_MS = 240_000;
/** How often it is looked whether anything is open. */
const LOOK_MS = 250;
/** Anything a paused owner still sent would have arrived by then. */
const AFTERMATH_MS = 3_000;
const PROGRESS_MS = 5_000;

export interface RunReport {
  readonly seed: number;
  readonly seconds: number;
  readonly verdict: Verdict;
  readonly disturbances: readonly Disturbance[];
  readonly recoveries: readonly Recovery[];
  readonly faults: Readonly<Record<string, number>>;
  /** Connections to the database, by what was done to them. */
  readonly breaks: Readonly<Record<Break, number>>;
  /** Processes that ended by themselves, or hang: a fault of the app, whatever the verdict. */
  readonly collapses: readonly string[];
  /** Set if logs were kept. */
  readonly logDir: string | undefined;
}

interface Play {
  readonly stage: Stage;
  readonly casts: readonly Cast[];
  readonly runs: ReadonlyMap<Cast, readonly WorkflowRun[]>;
}

function allRuns({ runs }: Play): WorkflowRun[] {
  return [...runs.values()].flat();
}

function openCount(runs: readonly WorkflowRun[]): number {
  return runs.reduce((sum, run) => {
    const { total, entered, waiting, blocked } = run.counts();
    return sum + (total - entered) + waiting + blocked;
  }, 0);
}

/** Nothing is open but what a restore made the app forget. */
function isFinished(play: Play, restores: readonly Restore[]): boolean {
  const runs = allRuns(play);
  const forgotten = runs
    .flatMap(({ executions }) => executions)
    .filter((one) => one.state === "blocked" && isForgotten(one, restores));
  return openCount(runs) === forgotten.length;
}

/** Resolves true once `holds`, false after `ms`. @throws the interrupt's reason. */
async function comesTrue(holds: () => boolean, ms: number, interrupt: AbortSignal): Promise<boolean> {
  const endsAtMs = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > endsAtMs) return false;
    await sleep(LOOK_MS, undefined, { signal: interrupt }).catch(() => undefined);
    interrupt.throwIfAborted();
  }
  return true;
}

function showProgress(play: Play, disturber: Disturber, print: (line: string) => void): () => void {
  const startedAtMs = performance.now();
  const timer = setInterval(() => {
    const runs = allRuns(play);
    const total = runs.reduce((sum, run) => sum + run.counts().total, 0);
    const enrolled = play.casts.reduce((sum, { portal }) => sum + portal.enrollments.total, 0);
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
    print(
      `  ${seconds} s: ${total - openCount(runs)}/${total} done, ${enrolled} enrolled, ${disturber.log.length} disturbances`,
    );
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
  };
}

/** A process that ended unasked after it had listened, or that neither listens nor ends. */
function collapsesOf({ webs, workers }: Stage): string[] {
  return [...webs, ...workers].flatMap(({ name, exits, startingForMs }) => [
    ...exits
      .filter(({ wasReady, wasAsked }) => wasReady && !wasAsked)
      .map(({ code, signal }) => `${name} ended by itself (${signal ?? code})`),
    ...(startingForMs > START_TIMEOUT_MS ? [`${name} neither listens nor ends`] : []),
  ]);
}

function breaksOf({ connections }: Stage): Record<Break, number> {
  const total = { cut: 0, "lose the answer": 0, mute: 0 };
  for (const { counts } of connections.values()) for (const how of BREAKS) total[how] += counts[how];
  return total;
}

async function castAndInstall(stage: Stage, options: ChaosOptions, seed: number): Promise<Cast[]> {
  const casts: Cast[] = [];
  for (let index = 0; index < options.portals; index += 1) {
    const share = Math.floor(options.calls / options.portals);
    const calls = share + (index < options.calls % options.portals ? 1 : 0);
    const cast = castPortal(stage.simulator, {
      calls,
      random: randomFrom(seed * 1_009 + index),
      enrolledBeforeShare: ENROLLED_BEFORE_SHARE,
    });
    await stage.install(cast.portal);
    await capSenders(stage.database.url, cast.portal, options.cap);
    casts.push(cast);
  }
  return casts;
}

function beginWorkflows(stage: Stage, casts: readonly Cast[]): Play {
  const callsPerSecond = CALLS_PER_SECOND / casts.length;
  const { actionUrls, publicUrl } = stage;
  const begin = (cast: Cast): readonly [Cast, WorkflowRun[]] => [
    cast,
    runWorkflows(cast, { actionUrls, publicUrl, callsPerSecond }),
  ];
  return { stage, casts, runs: new Map(casts.map(begin)) };
}

/** Plays one seed on a stage that is set: workflows against kills, then a calm end, then the judgement. */
async function play(
  stage: Stage,
  settings: { options: ChaosOptions; seed: number; interrupt: AbortSignal; print: (line: string) => void },
): Promise<Omit<RunReport, "logDir">> {
  const { options, seed, interrupt, print } = settings;
  const { simulator } = stage;
  const casts = await castAndInstall(stage, options, seed);
  const watch = new CompletionWatch(simulator);
  const stops = [endSequencesEarly(simulator, seed + 3), endFormerSequences(casts, randomFrom(seed + 6))];
  simulator.setWebhookTarget({ url: stage.publicUrl + WEBHOOK_ROUTE });
  simulator.setFaults(API_FAULTS);
  const startedAtMs = performance.now();
  const playing = beginWorkflows(stage, casts);
  const recovery = new RecoveryWatch(simulator, (portalId) => {
    const cast = casts.find(({ portal }) => portal.portalId === portalId);
    return openCount(cast === undefined ? [] : (playing.runs.get(cast) ?? [])) > 0;
  });
  const disturber = new Disturber({
    stage,
    random: randomFrom(seed + 4),
    onBegin: (disturbance) => {
      recovery.begin(disturbance);
    },
  });
  disturber.start();
  const stopProgress = showProgress(playing, disturber, print);
  try {
    const isOver = (): boolean => isFinished(playing, disturber.restores);
    await comesTrue(isOver, options.minutes * 60_000, interrupt);
    await disturber.stop();
    simulator.setFaults({});
    await comesTrue(isOver, CALM_MS, interrupt);
    const seconds = (performance.now() - startedAtMs) / 1_000;
    await sleep(AFTERMATH_MS);
    const runsOf = (cast: Cast): readonly WorkflowRun[] => playing.runs.get(cast) ?? [];
    const { log: disturbances, restores } = disturber;
    const verdict = judge({ simulator, casts, runsOf, watch, disturbances, restores, cap: options.cap });
    if (!isKept(verdict)) await keepEvidence(stage, casts, verdict);
    const { recoveries } = recovery;
    const facts = { faults: simulator.faultCounts(), breaks: breaksOf(stage), collapses: collapsesOf(stage) };
    return { seed, seconds, verdict, disturbances, recoveries, ...facts };
  } finally {
    stopProgress();
    for (const stop of stops) stop();
    await disturber.stop().catch(() => undefined);
  }
}

/** Sets the stage, plays one seed, clears the stage. @throws what kept it from being played, the interrupt's reason too. */
export async function runSeed(settings: {
  options: ChaosOptions;
  seed: number;
  interrupt: AbortSignal;
  print: (line: string) => void;
  onStage: (stage: Stage) => void;
}): Promise<RunReport> {
  const { options, seed, interrupt } = settings;
  const restarts = randomFrom(seed + 5);
  const stage = await startStage({
    webs: options.webs,
    workers: options.workers,
    rateLimit: RATE_LIMIT,
    hasHostileNetwork: true,
    restartAfterMs: () => restarts.between(...RESTART_MS),
    simulator: {
      seed,
      latencyMs: LATENCY_MS,
      enrollmentsPerInboxAndDay: 1_000_000,
      ...options.world,
    },
  });
  settings.onStage(stage);
  let keepLogs = true;
  try {
    const report = await play(stage, settings);
    keepLogs = options.keepLogs || !isKept(report.verdict) || report.collapses.length > 0;
    return { ...report, logDir: keepLogs ? stage.logDir : undefined };
  } catch (error) {
    keepLogs = !interrupt.aborted;
    throw error;
  } finally {
    // The verdict is in: nothing is left that a gentle end could save.
    await stage.close({ graceMs: interrupt.aborted ? 0 : 3_000, keepLogs });
  }
}
