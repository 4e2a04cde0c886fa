import type { SimulatedSequence } from "../portal/model.js";

const DAY_MS = 86_400_000;

/** Steps, dependencies and settings of a sequence: mail, call, mail, end, as most are built (docs/hubspot.md §5.1). */
export function sequenceDetail({ id, createdAtMs }: SimulatedSequence): Record<string, unknown> {
  const at = new Date(createdAtMs).toISOString();
  const stamps = { createdAt: at, updatedAt: at };
  const step = (stepOrder: number, delayDays: number, pattern: Record<string, unknown>) => ({
    id: `${id}${stepOrder}`,
    stepOrder,
    delayMillis: delayDays * DAY_MS,
    ...stamps,
    ...pattern,
  });
  const mail = (templateId: string, threadEmailToStepOrder?: number) => ({
    actionType: "EMAIL",
    emailPattern: { id: `${id}${templateId}`, templateId, threadEmailToStepOrder, ...stamps },
  });
  return {
    steps: [
      step(0, 0, mail("9001")),
      step(1, 2, {
        actionType: "TASK",
        taskPattern: {
          id: `${id}71`,
          taskType: "CALL",
          taskPriority: "MEDIUM",
          subject: "Follow up by phone",
          ...stamps,
        },
      }),
      step(2, 3, mail("9002", 0)),
      step(3, 5, { actionType: "FINISH_ENROLLMENT" }),
    ],
    dependencies: [
      {
        id: `${id}51`,
        dependencyType: "TASK_COMPLETION",
        reliesOnSequenceStepId: `${id}1`,
        reliesOnStepOrder: 1,
        requiredBySequenceStepId: `${id}2`,
        requiredByStepOrder: 2,
        ...stamps,
      },
    ],
    settings: {
      id: `${id}41`,
      eligibleFollowUpDays: "BUSINESS_DAYS",
      sellingStrategy: "LEAD_BASED",
      sendWindowStartMinute: 480,
      sendWindowEndMinute: 1080,
      taskReminderMinute: 480,
      individualTaskRemindersEnabled: false,
      ...stamps,
    },
  };
}
