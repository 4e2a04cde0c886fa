import type { SimulatedPortal } from "../portal.js";
import { drawMs } from "../world/random.js";
import type { World } from "../world/world.js";
import { formOf, meetsBranch, meetsCriteria, propertiesIn } from "./flow-conditions.js";
import type { EnrollmentCriteria, FlowAction } from "./flow-requests.js";
import type { Flow } from "./flow-store.js";
import { NATIVE_STEPS } from "./seeded-flows.js";

/** Where the app's own action is called when a contact comes to its step. */
export interface ActionTarget {
  readonly actionUrl: string;
  readonly objectProperties: readonly string[];
}

/** A workflow that leads in a circle goes no further than this. */
const MOST_STEPS = 50;

/** One contact on its way through one workflow. */
interface Passage {
  readonly flowId: string;
  readonly contactId: string;
  /** What the steps before answered, by their action id. */
  readonly outputs: Map<string, Readonly<Record<string, string>>>;
  steps: number;
  /** The contact has left, or was taken out: no further step is played. */
  isOver: boolean;
}

type Outputs = Readonly<Record<string, string>> | undefined;

/**
 * Runs an account's workflows: contacts enter by a change of a property that the trigger looks at, or because they were
 * put in, and take each step after the workflow's delay, unless they leave before because the trigger says so. HubSpot's own enroll and unenroll steps, delays, branches on an
 * output, "set property" and the app's action are played; any other step is passed by.
 */
export class FlowRunner {
  readonly #world: World;
  readonly #portal: SimulatedPortal;
  /** `flow contact`: who has been in. Without re-enrollment a workflow takes nobody twice. */
  readonly #entered = new Set<string>();
  /** `flow contact`: who meets the trigger now; only those who did not before enter. */
  readonly #meets = new Set<string>();
  /** Who is in which workflow now, by contact. */
  readonly #inside = new Map<string, Passage[]>();
  #target: ActionTarget | undefined;

  constructor(world: World, portal: SimulatedPortal) {
    this.#world = world;
    this.#portal = portal;
  }

  /** From now on contacts that come to the app's step are sent to the app. */
  useAction(target: ActionTarget): void {
    this.#target = target;
  }

  /** A contact's properties were written. */
  propertiesChanged(contactId: string, names: readonly string[]): void {
    for (const flow of this.#portal.flows.all()) {
      const watched = propertiesIn(flow.enrollmentCriteria);
      if (!names.some((name) => watched.has(name))) continue;
      const key = `${flow.id} ${contactId}`;
      const metBefore = this.#meets.has(key);
      const meets = meetsCriteria(flow.enrollmentCriteria, this.#portal.propertiesOf(contactId));
      if (meets) this.#meets.add(key);
      else this.#meets.delete(key);
      if (flow.isEnabled && meets && !metBefore) this.enter(flow, contactId);
      if (!meets && letsGo(flow.enrollmentCriteria)) this.#takeOut(flow.id, contactId);
    }
  }

  /** The contact submits a form. */
  formSubmitted(contactId: string, formId: string): void {
    for (const flow of this.#portal.flows.all())
      if (formOf(flow.enrollmentCriteria) === formId) this.enter(flow, contactId);
  }

  /** The workflows that a contact is in now. */
  flowsOf(contactId: string): readonly string[] {
    return this.#passagesOf(contactId).map(({ flowId }) => flowId);
  }

  #passagesOf(contactId: string): readonly Passage[] {
    return this.#inside.get(contactId) ?? [];
  }

  /** @returns false if the workflow does not take the contact: it is off, or had it and takes nobody twice. */
  enter(flow: Flow, contactId: string): boolean {
    const key = `${flow.id} ${contactId}`;
    const mayReturn = flow.enrollmentCriteria?.shouldReEnroll ?? false;
    if (!flow.isEnabled || (this.#entered.has(key) && !mayReturn)) return false;
    this.#entered.add(key);
    this.#portal.flowEntries.push({ flowId: flow.id, contactId, atMs: this.#world.now() });
    const passage: Passage = { flowId: flow.id, contactId, outputs: new Map(), steps: 0, isOver: false };
    this.#inside.set(contactId, [...this.#passagesOf(contactId), passage]);
    this.#later(() => {
      this.#step(passage, flow.startActionId);
    });
    return true;
  }

  #later(work: () => void): void {
    const { settings, random, delays } = this.#world;
    delays.schedule(drawMs(random, settings.flowDelayMs), work);
  }

  /** A workflow that was turned off or deleted meanwhile does nothing more. */
  #step(passage: Passage, actionId: string | undefined): void {
    if (passage.isOver) return;
    const flow = this.#portal.flows.find(passage.flowId);
    const action = flow?.actions.find((candidate) => candidate.actionId === actionId);
    if (flow?.isEnabled !== true || action === undefined || (passage.steps += 1) > MOST_STEPS)
      return this.#leave(passage);
    void this.#play(passage, action).then((outputs) => {
      if (outputs !== undefined) passage.outputs.set(action.actionId, outputs);
      const { flowId, contactId } = passage;
      const { portalId } = this.#portal;
      this.#world.signals.announce("flowStep", { portalId, flowId, contactId, actionId: action.actionId });
      const next = nextOf(action, passage, this.#portal);
      if (next === undefined) return this.#leave(passage);
      this.#later(() => {
        this.#step(passage, next);
      });
    });
  }

  #leave(passage: Passage): void {
    passage.isOver = true;
    const { contactId } = passage;
    this.#inside.set(
      contactId,
      this.#passagesOf(contactId).filter((one) => one !== passage),
    );
  }

  #takeOut(flowId: string, contactId: string): void {
    for (const passage of this.#passagesOf(contactId)) if (passage.flowId === flowId) this.#leave(passage);
  }

  #play({ contactId, flowId }: Passage, action: FlowAction): Promise<Outputs> {
    if (action.type !== "SINGLE_CONNECTION" || !this.#portal.contacts.has(contactId)) return NOTHING;
    switch (action.actionTypeId) {
      case NATIVE_STEPS.unenroll:
        if (this.#portal.enrollments.activeOf(contactId) !== undefined)
          this.#portal.endEnrollment(contactId, "unenrolled");
        return NOTHING;
      case NATIVE_STEPS.enroll: {
        const { sequenceId } = textFields(action.fields);
        const isFree = this.#portal.enrollments.activeOf(contactId) === undefined;
        if (isFree && sequenceId !== undefined && this.#portal.sequences.has(sequenceId))
          this.#portal.enrollInUi(contactId, { sequenceId });
        return NOTHING;
      }
      case NATIVE_STEPS.setProperty: {
        const { property_name: name, value } = textFields(action.fields);
        if (name !== undefined && value !== undefined)
          this.#portal.writeProperties(contactId, { [name]: value });
        return NOTHING;
      }
      case `1-${this.#world.settings.actionDefinitionId}`:
        return this.#callApp(flowId, contactId, action);
      default:
        return NOTHING;
    }
  }

  #numberInCalls(flowId: string): number {
    const isFlowId = this.#world.settings.openQuestions.workflowIdOfCalls === "flow";
    return isFlowId ? Number(flowId) : this.#portal.flows.legacyIdOf(flowId);
  }

  async #callApp(
    flowId: string,
    contactId: string,
    { actionId, actionTypeVersion, fields }: FlowAction & { type: "SINGLE_CONNECTION" },
  ): Promise<Outputs> {
    if (this.#target === undefined) return undefined;
    const run = this.#portal.runAction({
      ...this.#target,
      contactIds: [contactId],
      inputs: textFields(fields),
      workflowId: this.#numberInCalls(flowId),
      actionId: Number(actionId),
      definitionVersion: actionTypeVersion,
    });
    await run.finished;
    return run.executions[0]?.outputs;
  }
}

/** Whether a contact leaves the workflow as soon as it no longer meets the trigger. */
function letsGo(criteria: EnrollmentCriteria | undefined): boolean {
  return criteria?.type === "LIST_BASED" && criteria.unEnrollObjectsNotMeetingCriteria;
}

const NOTHING: Promise<Outputs> = Promise.resolve(undefined);

/** A step's fields as texts, wherever the value stands. */
function textFields(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value =
      typeof field === "object" && field !== null && "staticValue" in field ? field.staticValue : field;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      texts[name] = String(value);
  }
  return texts;
}

function nextOf(
  action: FlowAction,
  { outputs, contactId }: Passage,
  portal: SimulatedPortal,
): string | undefined {
  switch (action.type) {
    case "SINGLE_CONNECTION":
      return action.connection?.nextActionId;
    case "STATIC_BRANCH": {
      const { inputValue } = action;
      const value =
        inputValue.type === "FIELD_DATA" ? outputs.get(inputValue.actionId)?.[inputValue.dataKey] : undefined;
      const branch = action.staticBranches.find(({ branchValue }) => branchValue === value);
      return (branch?.connection ?? action.defaultBranch)?.nextActionId;
    }
    case "LIST_BRANCH": {
      const properties = portal.propertiesOf(contactId);
      const branch = action.listBranches.find(
        ({ filterBranch }) => filterBranch !== undefined && meetsBranch(filterBranch, properties),
      );
      return (branch === undefined ? action.defaultBranch : branch.connection)?.nextActionId;
    }
    default:
      return undefined;
  }
}
