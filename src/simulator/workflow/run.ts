import type { CallbackRecord } from "../portal/callbacks.js";
import type { SimulatedPortal } from "../portal.js";
import type { SigningPlan } from "../world/signing.js";
import type { World } from "../world/world.js";
import { readAnswer } from "./answer-reading.js";
import { DeliveryLine, type Verdict } from "./delivery-line.js";
import { durationMs, executionPayload, type Execution, type ExecutionState } from "./execution.js";
import { historyLabel } from "./history.js";
import { deliver, type OutboundAnswer } from "./outbound.js";
import type { RunCounts, RunRequest } from "./run-request.js";

interface Job {
  readonly execution: Execution;
  readonly callback: CallbackRecord;
  readonly isDuplicate: boolean;
}

/** Long enough for an app to be killed and started again. */
const RETRY_GAPS_MS: readonly number[] = [100, 200, 400, 800, 1600, 3200, ...Array<number>(22).fill(5000)];

const OPEN_STATES: ReadonlySet<ExecutionState> = new Set(["waiting", "blocked"]);
const HOUR_MS = 3_600_000;

/** A workflow sending contacts through an action. Watch it by `answered`, `finished`, `counts()` and `executions`. */
export class WorkflowRun {
  readonly id: string;
  readonly executions: Execution[] = [];
  /** Everything was delivered or given up; blocked executions may still be open. */
  readonly answered: Promise<void>;
  /** Every execution has reached its last state. */
  readonly finished: Promise<void>;
  readonly #world: World;
  readonly #portal: SimulatedPortal;
  readonly #request: RunRequest;
  readonly #line: DeliveryLine<Job>;
  readonly #tally = new Map<ExecutionState, number>();
  #resolveFinished: () => void = () => undefined;

  constructor(world: World, portal: SimulatedPortal, request: RunRequest) {
    this.#world = world;
    this.#portal = portal;
    this.#request = request;
    this.id = `run-${world.nextId()}`;
    this.finished = new Promise((resolve) => (this.#resolveFinished = resolve));
    let resolveAnswered = (): void => undefined;
    this.answered = new Promise((resolve) => (resolveAnswered = resolve));
    this.#line = new DeliveryLine<Job>({
      delays: world.delays,
      concurrency: request.concurrency ?? 20,
      ratePerSecond: request.ratePerSecond,
      next: () => this.#nextJob(),
      deliver: (job) => this.#deliver(job),
      onIdle: () => {
        resolveAnswered();
        this.#finishIfDone();
      },
    });
  }

  start(): void {
    this.#line.start();
  }

  counts(): RunCounts {
    const of = (state: ExecutionState): number => this.#tally.get(state) ?? 0;
    return {
      total: this.#request.contactIds.length,
      entered: this.executions.length,
      waiting: of("waiting"),
      blocked: of("blocked"),
      succeeded: of("succeeded"),
      failed: of("failed"),
      refused: of("refused"),
      unreachable: of("unreachable"),
      completed: of("completed"),
      expired: of("expired"),
    };
  }

  executionOf(contactId: string): Execution {
    const execution = this.executions.find((candidate) => candidate.contactId === contactId);
    if (execution === undefined) throw new RangeError(`Contact ${contactId} has not entered ${this.id}`);
    return execution;
  }

  /** What the workflow history shows the customer for an execution, given the run's action definition. */
  historyLabel(execution: Execution): string {
    return historyLabel(this.#request.definition, execution);
  }

  /** Delivers an execution's request once more, as a retry HubSpot thinks it owes; resolves with the answer. */
  async redeliver(execution: Execution, signing?: SigningPlan): Promise<OutboundAnswer> {
    return this.#send(execution, { isDuplicate: true, signing });
  }

  /** Lets blocks whose time has passed expire; returns how many did. */
  expireOverdue(): number {
    const overdue = this.executions.filter(
      ({ state, expiresAtMs }) =>
        state === "blocked" && expiresAtMs !== undefined && expiresAtMs <= this.#world.now(),
    );
    for (const execution of overdue) this.#enter(execution, "expired");
    return overdue.length;
  }

  #nextJob(): Job | undefined {
    const index = this.executions.length;
    const contactId = this.#request.contactIds[index];
    if (contactId === undefined) return undefined;
    const enrollmentId = 5_512_345_000_000 + this.#world.nextId();
    const callbackId = `ap-${this.#portal.portalId}-${enrollmentId}-${this.#request.actionId ?? 3}-0`;
    const callback = this.#portal.callbacks.expect(callbackId, (completion) => {
      if (!OPEN_STATES.has(execution.state)) return;
      execution.outputs = completion.outputFields;
      this.#enter(execution, "completed");
    });
    const execution: Execution = {
      callbackId,
      contactId,
      enrollmentId,
      payload: this.#payload({ contactId, index, callbackId, enrollmentId }),
      attempts: [],
      state: "waiting",
      outputs: {},
      blockedAtMs: undefined,
      expiresAtMs: undefined,
      completions: callback.received,
    };
    this.executions.push(execution);
    this.#count("waiting", 1);
    return { execution, callback, isDuplicate: false };
  }

  #payload(entry: { contactId: string; index: number; callbackId: string; enrollmentId: number }): string {
    const { inputs, workflowId, actionId, definitionVersion, objectProperties, context } = this.#request;
    const contact = this.#portal.contacts.get(entry.contactId);
    return executionPayload(contact ?? { id: entry.contactId }, {
      portalId: this.#portal.portalId,
      definitionId: definitionIdOf(this.#request.actionUrl, this.#world.settings.actionDefinitionId),
      definitionVersion: definitionVersion ?? 1,
      workflowId: workflowId ?? this.#portal.portalId * 10 + 1,
      actionId: actionId ?? 3,
      enrollmentId: entry.enrollmentId,
      callbackId: entry.callbackId,
      inputs: typeof inputs === "function" ? inputs(contact, entry.index) : inputs,
      objectProperties,
      context,
      nowMs: this.#world.now(),
    });
  }

  async #deliver(job: Job): Promise<Verdict> {
    const { execution, isDuplicate } = job;
    const answer = await this.#send(execution, { isDuplicate, signing: this.#request.signing });
    if (isDuplicate) return "done";
    const reading = readAnswer(answer);
    if (reading.kind === "retry") return this.#retryOrGiveUp(execution, reading.afterMs);
    if (OPEN_STATES.has(execution.state)) this.#decide(job, reading.state, reading.outputs);
    if (this.#world.random.chance(this.#request.duplicateProbability ?? 0))
      this.#line.push({ ...job, isDuplicate: true });
    return "done";
  }

  async #send(
    execution: Execution,
    { isDuplicate, signing }: { isDuplicate: boolean; signing: SigningPlan | undefined },
  ): Promise<OutboundAnswer> {
    const startedAt = performance.now();
    const sentAtMs = this.#world.machineNow();
    const answer = await deliver(this.#world, {
      method: "POST",
      url: this.#request.actionUrl,
      publicUrl: this.#request.publicUrl,
      body: execution.payload,
      signing,
      timeoutMs: this.#request.timeoutMs ?? 10_000,
    });
    const [status, body] = answer.kind === "answered" ? [answer.status, answer.body] : [0, answer.reason];
    execution.attempts.push({ sentAtMs, tookMs: performance.now() - startedAt, status, body, isDuplicate });
    return answer;
  }

  #retryOrGiveUp(execution: Execution, afterMs: number | undefined): Verdict {
    const failures = execution.attempts.filter(({ isDuplicate }) => !isDuplicate).length;
    const gapMs = (this.#request.retryGapsMs ?? RETRY_GAPS_MS)[failures - 1];
    const askedMs = Math.min(afterMs ?? Number.POSITIVE_INFINITY, this.#request.maxRetryAfterMs ?? 1000);
    if (gapMs !== undefined) return { againAfterMs: afterMs === undefined ? gapMs : askedMs };
    if (OPEN_STATES.has(execution.state)) this.#enter(execution, "unreachable");
    return "done";
  }

  #decide(
    { execution, callback }: Job,
    state: ExecutionState,
    outputs: Readonly<Record<string, string>>,
  ): void {
    execution.outputs = outputs;
    if (state === "blocked") {
      execution.blockedAtMs = this.#world.now();
      execution.expiresAtMs = execution.blockedAtMs + durationMs(outputs["hs_expiration_duration"]);
      callback.expiresAtMs = execution.expiresAtMs;
      this.#expireLater(execution.expiresAtMs - execution.blockedAtMs);
    } else {
      // HubSpot no longer holds anything: a completion that still arrives finds no callback.
      callback.expiresAtMs = Number.NEGATIVE_INFINITY;
    }
    this.#enter(execution, state);
  }

  /** Long blocks outlive any run; their tests move the clock and call {@link expireOverdue}. */
  #expireLater(durationMs: number): void {
    if (durationMs <= HOUR_MS) this.#world.delays.schedule(durationMs, () => this.expireOverdue());
  }

  #enter(execution: Execution, state: ExecutionState): void {
    this.#count(execution.state, -1);
    this.#count(state, 1);
    execution.state = state;
    this.#world.signals.announce("execution", {
      portalId: this.#portal.portalId,
      callbackId: execution.callbackId,
      state,
    });
    this.#finishIfDone();
  }

  #count(state: ExecutionState, change: 1 | -1): void {
    this.#tally.set(state, (this.#tally.get(state) ?? 0) + change);
  }

  #finishIfDone(): void {
    const open = (this.#tally.get("waiting") ?? 0) + (this.#tally.get("blocked") ?? 0);
    if (open === 0 && this.executions.length === this.#request.contactIds.length) this.#resolveFinished();
  }
}

/** Each action of an app has a number of its own; the app's enroll action has the one that the settings name. */
function definitionIdOf(actionUrl: string, enrollId: number): number {
  const others = ["/check-enrollment", "/wait-for-sequence-end"];
  return enrollId + others.findIndex((path) => actionUrl.endsWith(path)) + 1;
}
