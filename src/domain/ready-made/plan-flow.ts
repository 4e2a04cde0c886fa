import type { ExecutionKind } from "#domain/contract/execution.js";
import { PLAIN_CONTACT_FLOW } from "#platform/hubspot/wire/plain-flow.js";
import { allSteps, type Plan, type PlanBranch, type PlanStep } from "./plan.js";
import type { RecipeEnrollment } from "./recipe.js";
import { triggerOf } from "./plan-trigger.js";

/** HubSpot's own steps (docs/hubspot.md §10). */
const DELAY = "0-1";
const SET_PROPERTY = "0-5";
const DAY_MINUTES = 24 * 60;

/** HubSpot's number of one of our actions, as a step names it, and the version of it that called last. */
export interface OwnAction {
  readonly typeId: string;
  readonly version: number;
}
export type OwnActions = Readonly<Partial<Record<ExecutionKind, OwnAction>>>;

/** Our actions that a plan needs. */
export function actionsOf({ steps }: Plan): ExecutionKind[] {
  const kinds = new Set<ExecutionKind>();
  for (const { kind } of allSteps(steps)) {
    if (kind === "enroll") kinds.add("ENROLL");
    if (kind === "wait") kinds.add("WAIT_FOR_SEQUENCE_END");
  }
  return [...kinds];
}

/** The body of a create, in the form of the flows API. */
export type FlowDefinition = Readonly<Record<string, unknown>>;

/** What a plan is called in HubSpot, and what it is recognized by. */
export interface FlowLabels {
  readonly name: string;
  readonly description: string;
  /** The value of our contact property that puts contacts in; null: none does. */
  readonly stamp: string | null;
}

/**
 * The workflow of a plan as the flows API takes it, turned off.
 *
 * @param actions has every one of `actionsOf(plan)`.
 */
export function toFlow(plan: Plan, actions: OwnActions, labels: FlowLabels): FlowDefinition {
  const { name, description, stamp } = labels;
  const { nodes, startId } = new Nodes(actions).of(plan.steps);
  return {
    ...PLAIN_CONTACT_FLOW,
    name,
    description,
    isEnabled: false,
    startActionId: startId,
    actions: nodes,
    enrollmentCriteria: triggerOf(plan.trigger, stamp),
  };
}

type Node = Readonly<Record<string, unknown>>;
interface Laid {
  readonly nodes: readonly Node[];
  /** Undefined: there is no step. */
  readonly startId: string | undefined;
}

const to = (nextActionId: string | undefined) =>
  nextActionId === undefined ? {} : { connection: { edgeType: "STANDARD", nextActionId } };

/** Numbers the steps in the order in which contacts come to them, and connects them. */
class Nodes {
  readonly #actions: OwnActions;
  #last = 0;

  constructor(actions: OwnActions) {
    this.#actions = actions;
  }

  /** @param before the id of the step before the first one. */
  of([step, ...others]: readonly PlanStep[], before = ""): Laid {
    if (step === undefined) return { nodes: [], startId: undefined };
    this.#last += 1;
    const id = String(this.#last);
    if (step.kind === "branch") return { nodes: this.#branch(id, step, before), startId: id };
    const next = this.of(others, id);
    const node =
      step.kind === "unless-replied"
        ? unlessReplied(id, step.days, next.startId)
        : { type: "SINGLE_CONNECTION", actionId: id, ...this.#action(step), ...to(next.startId) };
    return { nodes: [node, ...next.nodes], startId: id };
  }

  /** @param waitId the wait step, whose outcome the ways are by. */
  #branch(id: string, { ways, others }: PlanBranch, waitId: string): Node[] {
    const laid = ways.map(({ outcome, steps }) => ({ outcome, ...this.of(steps, id) }));
    const node = {
      type: "STATIC_BRANCH",
      actionId: id,
      inputValue: { type: "FIELD_DATA", actionId: waitId, dataKey: "outcome" },
      staticBranches: laid.map(({ outcome, startId }) => ({ branchValue: outcome, ...to(startId) })),
      defaultBranchName: others,
    };
    return [node, ...laid.flatMap(({ nodes }) => nodes)];
  }

  #action(step: Exclude<PlanStep, { kind: "branch" | "unless-replied" }>): Node {
    switch (step.kind) {
      case "enroll":
        return this.#ours("ENROLL", enrollFields(step.enroll));
      case "wait":
        return this.#ours("WAIT_FOR_SEQUENCE_END", { max_wait_days: String(step.maxDays) });
      case "delay":
        return native(DELAY, { delta: String(step.days * DAY_MINUTES), time_unit: "MINUTES" });
      case "set-property": {
        const value = { type: "STATIC_VALUE", staticValue: step.value };
        return native(SET_PROPERTY, { property_name: step.property, value });
      }
    }
  }

  #ours(kind: ExecutionKind, fields: Node): Node {
    const action = this.#actions[kind];
    if (action === undefined) throw new RangeError(`HubSpot's number of the action ${kind} is not known`);
    return { actionTypeId: action.typeId, actionTypeVersion: action.version, fields };
  }
}

const native = (actionTypeId: string, fields: Node): Node => ({ actionTypeId, actionTypeVersion: 0, fields });

/** As the workflow editor stores our action's fields; what is not chosen is left out. */
function enrollFields({
  sequenceId,
  senderMode,
  senderUserId,
  rotationId,
  presetId,
}: RecipeEnrollment): Node {
  return {
    sequence_id: sequenceId,
    sender_mode: senderMode,
    ...(senderUserId === null ? {} : { sender_user_id: senderUserId }),
    ...(rotationId === null ? {} : { rotation_id: rotationId }),
    ...(presetId === null ? {} : { preset_id: presetId }),
  };
}

/** Who replied to a sales email within the days leaves; everyone else continues. */
function unlessReplied(id: string, days: number, nextId: string | undefined): Node {
  const operation = {
    operationType: "ROLLING_DATE_RANGE",
    operator: "IS_LESS_THAN_X_DAYS_AGO",
    numberOfDays: days,
    requiresTimeZoneConversion: false,
    includeObjectsWithNoValueSet: false,
  };
  const filter = { filterType: "PROPERTY", property: "hs_sales_email_last_replied", operation };
  const filterBranch = {
    filterBranchType: "AND",
    filterBranchOperator: "AND",
    filterBranches: [],
    filters: [filter],
  };
  return {
    type: "LIST_BRANCH",
    actionId: id,
    listBranches: [{ branchName: "Replied meanwhile", filterBranch }],
    defaultBranchName: "No reply",
    ...(nextId === undefined ? {} : { defaultBranch: { edgeType: "STANDARD", nextActionId: nextId } }),
  };
}
