import type { ActionTypes } from "#domain/flows/action-types.js";
import type { FlowProblem, FlowsReport } from "#domain/flows/flow-state.js";
import { stepsOf } from "#domain/flows/flow-steps.js";
import { readAs, type FlowStore } from "#domain/flows/flow-store.js";
import { FLOWS_AT_ONCE } from "#platform/hubspot/flow-requests.js";
import { HubSpotRejected, HubSpotTimedOut, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";

/** Limits an endless list: 20,000 workflows, far more than an account can have. */
export const MOST_FLOW_PAGES = 200;
/**
 * How often a request is tried before the renewal is given up; the first one, and one without an answer in time, once.
 * Failures in a row open the portal's circuit, and contacts must not wait for that: names can be read later.
 */
const TRIES = 3;

/** The portal's current owner, who does the step. */
export interface FlowHands {
  readonly gateway: Pick<PortalGateway, "listFlows" | "readFlows" | "readWorkflowIds">;
  readonly store: FlowStore;
}

/** How a renewal ended. `isPutOff`: HubSpot did not answer, and it is to be tried again soon. */
export interface FlowsOutcome {
  readonly problem: FlowProblem | null;
  readonly report: FlowsReport;
  readonly isPutOff: boolean;
}

/** One after the other: the list, the steps of what changed, the old numbers; `done`: nothing is left to request. */
type Phase = "list" | "steps" | "numbers" | "done";

function assertOurs<Answer>(answer: Answer | "lost"): Answer {
  if (answer === "lost") throw new LeaseLost("the copy of the workflows belongs to another owner now");
  return answer;
}

/**
 * The making of one copy of a portal's workflows, one request per step: it runs alongside its portal's turns, across
 * several of them. Only flows that a person changed since are read again, 100 in a request, so that a renewal mostly costs
 * the list alone. What was read is stored as it comes; what could not be read stays as we had it, and is reported.
 */
export class FlowRenewal {
  readonly #startedAt: Date;
  readonly #types: ActionTypes;
  readonly #mostPages: number;
  #phase: Phase = "list";
  #cursor: string | undefined;
  readonly #cursors = new Set<string>();
  #pages = 0;
  #tries = 0;
  #hasAnswer = false;
  readonly #listed = new Set<string>();
  #unread: string[] = [];
  #numberless: string[] = [];
  #read = 0;
  #leftOut = 0;
  #problem: FlowProblem | null = null;
  #message: string | undefined;
  #isPutOff = false;

  /** @param startedAt by the database's clock. */
  constructor({
    startedAt,
    types,
    mostPages = MOST_FLOW_PAGES,
  }: {
    startedAt: Date;
    types: ActionTypes;
    mostPages?: number | undefined;
  }) {
    this.#startedAt = startedAt;
    this.#types = types;
    this.#mostPages = mostPages;
  }

  get isRead(): boolean {
    return this.#phase === "done";
  }

  /**
   * Sends one request, and stores what it brings.
   *
   * @throws LeaseLost, and whatever did not come from HubSpot: a dead grant, a fault of our own.
   */
  async step(hands: FlowHands): Promise<void> {
    try {
      if (this.#phase === "list") await this.#readPage(hands);
      else if (this.#phase === "steps") await this.#readSteps(hands);
      else if (this.#phase === "numbers") await this.#readNumbers(hands);
      this.#tries = 0;
      this.#hasAnswer = true;
    } catch (fault) {
      this.#afterFault(fault);
    }
  }

  /** Stores the result. Call it once, when everything is read. */
  async finish({ store }: Pick<FlowHands, "store">, retryDelayMs: () => number): Promise<FlowsOutcome> {
    const report = { leftOut: this.#leftOut, message: this.#message };
    const problem = this.#problem;
    if (this.#isPutOff) assertOurs(await store.postpone(retryDelayMs(), { problem: "UNAVAILABLE", report }));
    else assertOurs(await store.markRead(this.#startedAt, { problem, report }));
    return { problem, report, isPutOff: this.#isPutOff };
  }

  async #readPage({ gateway, store }: FlowHands): Promise<void> {
    const page = await gateway.listFlows({ after: this.#cursor });
    const unread = assertOurs(await store.saveListed(page.results, this.#types.fingerprint));
    this.#unread.push(...unread);
    this.#pages += 1;
    this.#read += page.results.length;
    this.#leftOut += page.leftOut.length;
    // A workflow that is listed in a form we do not know still exists.
    for (const id of [...page.results.map((flow) => flow.id), ...page.leftOut])
      if (id !== undefined) this.#listed.add(id);
    const { after } = page;
    if (after === undefined)
      return this.#endList(store, page.isCut === true || this.#hasUnnamed(page.leftOut));
    if (this.#cursors.has(after) || this.#pages >= this.#mostPages) return this.#endList(store, true);
    this.#cursors.add(after);
    this.#cursor = after;
  }

  /** A workflow that is listed without an id may be any of those that we have. */
  #hasUnnamed(leftOut: readonly (string | undefined)[]): boolean {
    return leftOut.includes(undefined);
  }

  /** Only a whole list says what was deleted. If no entry of it could be read, HubSpot's form has changed. */
  async #endList(store: FlowStore, isCut: boolean): Promise<void> {
    if (this.#leftOut > 0 && this.#read === 0) this.#problem = "UNREADABLE";
    else if (isCut) this.#problem = "CUT";
    else assertOurs(await store.retireOthers([...this.#listed]));
    this.#unread = [...new Set(this.#unread)];
    await this.#toSteps(store);
  }

  async #toSteps(store: FlowStore): Promise<void> {
    this.#phase = "steps";
    if (this.#unread.length === 0) await this.#toNumbers(store);
  }

  async #readSteps({ gateway, store }: FlowHands): Promise<void> {
    const asked = this.#unread.slice(0, FLOWS_AT_ONCE);
    const { results, leftOut } = await gateway.readFlows(asked);
    const ours = new Set(asked);
    const flows = results
      .filter(({ id }) => ours.has(id))
      .map((flow) => ({
        id: flow.id,
        readAs: readAs(flow.revisionId, this.#types.fingerprint),
        steps: stepsOf(flow, this.#types),
      }));
    assertOurs(await store.saveSteps(flows));
    this.#leftOut += leftOut.length + results.reduce((sum, { oddActions }) => sum + oddActions, 0);
    this.#unread = this.#unread.slice(asked.length);
    if (this.#unread.length === 0) await this.#toNumbers(store);
  }

  async #toNumbers(store: FlowStore): Promise<void> {
    this.#numberless = [...(await store.withoutWorkflowId())];
    this.#phase = this.#numberless.length === 0 ? "done" : "numbers";
  }

  async #readNumbers({ gateway, store }: FlowHands): Promise<void> {
    const asked = this.#numberless.slice(0, FLOWS_AT_ONCE);
    assertOurs(await store.saveWorkflowIds(await gateway.readWorkflowIds(asked)));
    this.#numberless = this.#numberless.slice(asked.length);
    if (this.#numberless.length === 0) this.#phase = "done";
  }

  #afterFault(fault: unknown): void {
    if (fault instanceof HubSpotRejected) {
      // Without the old numbers, workflows that calls name by flow id still have their names.
      if (this.#phase !== "numbers") this.#problem = fault.httpStatus === 403 ? "SCOPE_MISSING" : "REFUSED";
      this.#message = fault.hubspotMessage;
      this.#phase = "done";
      return;
    }
    if (!(fault instanceof HubSpotUnavailable)) throw fault;
    this.#tries += 1;
    const isWorthwhile = this.#hasAnswer && !(fault instanceof HubSpotTimedOut);
    if (isWorthwhile && this.#tries < TRIES) return;
    this.#problem = "UNAVAILABLE";
    this.#message = fault.message;
    this.#isPutOff = true;
    this.#phase = "done";
  }
}
