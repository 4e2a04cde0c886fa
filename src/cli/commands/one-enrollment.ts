import { enrollment } from "../api/answers.js";
import type { Command, CommandContext } from "../command.js";
import { WrongUse } from "../errors.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { exitCodeOf, showEnrollment } from "./enrollment-view.js";

function idOf({ args }: CommandContext): string {
  const [id] = args.operands;
  if (id === undefined || !/^\d{1,19}$/.test(id)) throw new WrongUse("Give the enrollment's id, a number.");
  return id;
}

async function changeOne(context: CommandContext, verb: "cancel" | "retry"): Promise<ExitCode> {
  const path = `/enrollments/${idOf(context)}/${verb}`;
  const idempotencyKey = context.args.text("idempotency-key");
  await showEnrollment(
    context.output,
    await context.api.call({ method: "POST", path, idempotencyKey }, enrollment),
  );
  return EXIT.done;
}

const IDEMPOTENCY_KEY = {
  name: "idempotency-key",
  value: "KEY",
  help: "repeats an earlier request instead of making another",
};

export const status: Command = {
  name: "status",
  summary: "Tells what became of one enrollment. Ends with 1 if the contact was not enrolled.",
  operands: ["ID"],
  options: [],
  async run(context) {
    const found = await context.api.call(
      { method: "GET", path: `/enrollments/${idOf(context)}` },
      enrollment,
    );
    await showEnrollment(context.output, found);
    return exitCodeOf(found);
  },
};

export const cancel: Command = {
  name: "cancel",
  summary: "Cancels an enrollment that has not been sent yet.",
  operands: ["ID"],
  options: [IDEMPOTENCY_KEY],
  run: (context) => changeOne(context, "cancel"),
};

export const retry: Command = {
  name: "retry",
  summary: "Tries an enrollment again, as a new one.",
  operands: ["ID"],
  options: [IDEMPOTENCY_KEY],
  run: (context) => changeOne(context, "retry"),
};
