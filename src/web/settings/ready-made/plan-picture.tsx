import type { Plan, PlanBranch, PlanStep } from "#domain/ready-made/plan.js";
import { stepInWords, triggerInWords, WAYS, type PlanNames } from "./plan-words.js";

/** A workflow as its editor would draw it. The same stands beside it in words, so it is hidden from screen readers. */
export function PlanPicture({ plan, names }: { plan: Plan; names: PlanNames }) {
  return (
    <div class="flow-picture" aria-hidden="true">
      <div class="flow-node trigger">
        <strong>Contacts enter</strong>
        <span>{triggerInWords(plan.trigger, names)}</span>
      </div>
      <Steps steps={plan.steps} names={names} />
    </div>
  );
}

function Steps({ steps, names }: { steps: readonly PlanStep[]; names: PlanNames }) {
  return (
    <>
      {steps.map((step, index) => (
        <Step key={index} step={step} names={names} />
      ))}
      {steps.at(-1)?.kind === "branch" ? null : <div class="flow-node end">End</div>}
    </>
  );
}

function Step({ step, names }: { step: PlanStep; names: PlanNames }) {
  if (step.kind === "branch") return <Branch branch={step} names={names} />;
  const { title, text } = stepInWords(step, names);
  return (
    <div class={step.kind === "enroll" || step.kind === "wait" ? "flow-node ours" : "flow-node"}>
      <strong>{title}</strong>
      <span>{text}</span>
    </div>
  );
}

function Branch({ branch: { ways, others }, names }: { branch: PlanBranch; names: PlanNames }) {
  return (
    <div class="flow-ways">
      {ways.map(({ outcome, steps }) => (
        <div key={outcome} class="flow-way">
          <span class="flow-label">{WAYS[outcome]}</span>
          <Steps steps={steps} names={names} />
        </div>
      ))}
      <div class="flow-way">
        <span class="flow-label">{others}</span>
        <Steps steps={[]} names={names} />
      </div>
    </div>
  );
}
