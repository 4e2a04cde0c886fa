import { randomUUID } from "node:crypto";
import { enrollment, type Enrollment } from "../api/answers.js";
import { pauseFor } from "../api/retry.js";
import type { Command, CommandContext } from "../command.js";
import { Interrupted, NotReachable, WrongUse } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import { ENROLL_OPTIONS, enrollBody } from "./enroll-options.js";
import { exitCodeOf, isDecided, showEnrollment } from "./enrollment-view.js";

/** The longest time for which the app holds one answer back, in s. */
const LONGEST_HELD_ANSWER = 30;
const POLL_EVERY_MS = 2_000;

function contactOf({ args }: CommandContext): { email: string } | { id: string } {
  const [email, id] = [args.text("email"), args.text("contact")];
  if (email !== undefined && id === undefined) return { email };
  if (id !== undefined && email === undefined) return { id };
  throw new WrongUse("Say whom to enroll: --email ADDRESS or --contact ID.");
}

/** The request itself. If nobody knows whether it arrived, says how to repeat it without enrolling twice. */
async function post(
  { api, interrupted }: CommandContext,
  request: { body: unknown; key: string; waitSeconds: number },
): Promise<Enrollment> {
  const { body, key, waitSeconds } = request;
  const query = waitSeconds > 0 ? { wait: Math.min(waitSeconds, LONGEST_HELD_ANSWER) } : {};
  const advice = `It may have been stored anyway. Repeat the command with --idempotency-key ${key}: nobody is enrolled twice by it.`;
  try {
    return await api.call(
      { method: "POST", path: "/enrollments", query, json: body, idempotencyKey: key },
      enrollment,
    );
  } catch (error) {
    if (interrupted.aborted) throw new Interrupted(`Interrupted. ${advice}`, { cause: error });
    if (error instanceof NotReachable && error.mayHaveArrived)
      throw new NotReachable(`${error.message}\n${advice}`, { cause: error, mayHaveArrived: true });
    throw error;
  }
}

/** Looks at the enrollment until it is decided, waits for a later date, or the time is over. */
async function follow(context: CommandContext, first: Enrollment, until: number): Promise<Enrollment> {
  const { api, interrupted } = context;
  let found = first;
  try {
    while (!isDecided(found) && found.status !== "WAITING" && Date.now() < until) {
      await pauseFor(Math.min(POLL_EVERY_MS, until - Date.now()), interrupted);
      found = await api.call(
        { method: "GET", path: `/enrollments/${encodeURIComponent(first.id)}` },
        enrollment,
      );
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    const goOn = `It goes on without this command; see: sequence-enroller status ${first.id}`;
    throw new Interrupted(`Interrupted. Enrollment ${first.id} is stored. ${goOn}`, { cause: error });
  }
  return found;
}

async function run(context: CommandContext): Promise<ExitCode> {
  const { args, output } = context;
  const waitSeconds = args.number("wait", { min: 0, max: 86_400 }) ?? 0;
  const body = {
    contact: contactOf(context),
    ...enrollBody(args),
    ...(args.has("reference") ? { reference: args.text("reference") } : {}),
  };
  if (!("sequence" in body) && !("presetId" in body))
    throw new WrongUse("Say which sequence: --sequence ID or --sequence NAME.");
  const until = Date.now() + waitSeconds * 1_000;
  const key = args.text("idempotency-key") ?? randomUUID();
  const found = await follow(context, await post(context, { body, key, waitSeconds }), until);
  await showEnrollment(output, found);
  if (!isDecided(found)) output.say(`Not decided yet. See: sequence-enroller status ${found.id}`);
  return exitCodeOf(found);
}

export const enroll: Command = {
  name: "enroll",
  summary: "Enrolls one contact.",
  operands: [],
  options: [
    { name: "email", value: "ADDRESS", help: "the contact's email address" },
    { name: "contact", value: "ID", help: "or the contact's id" },
    ...ENROLL_OPTIONS,
    { name: "reference", value: "TEXT", help: "your own name for it, given back with it" },
    {
      name: "wait",
      value: "SECONDS",
      bareValue: "60",
      help: "wait until it is decided, at most so long (60 without a number)",
    },
    { name: "idempotency-key", value: "KEY", help: "repeats an earlier request instead of making another" },
  ],
  notes: ["Example:", "  sequence-enroller enroll --email ada@lead.example --sequence Inbound --wait"],
  run,
};
