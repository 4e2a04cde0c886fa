import { Writable } from "node:stream";
import { runCommand } from "../../src/cli/run-command.js";
import type { ExitCode } from "../../src/cli/exit-codes.js";

/** What a run of the command line left on its streams. */
export interface CommandRun {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export const COMMAND_KEY = "sqe_abcdefgh_secret";

/** @param columns of a terminal; undefined: the stream is no terminal */
function collector(columns?: number): { stream: Writable; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  return { stream, text: () => chunks.join("") };
}

/** Runs a command in this process, as `src/cli/main.ts` does. `line` is split at blanks; an array is taken as it is. */
export async function runLine(
  line: string | readonly string[],
  options: {
    url: string;
    key?: string;
    columns?: number;
    environment?: Readonly<Record<string, string>>;
    interrupted?: AbortSignal;
  },
): Promise<CommandRun> {
  const [stdout, stderr] = [collector(options.columns), collector()];
  const code = await runCommand({
    args: typeof line === "string" ? line.split(" ") : line,
    environment: {
      SEQUENCE_ENROLLER_URL: options.url,
      SEQUENCE_ENROLLER_KEY: options.key ?? COMMAND_KEY,
      ...options.environment,
    },
    stdout: stdout.stream,
    stderr: stderr.stream,
    interrupted: options.interrupted ?? new AbortController().signal,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** An enrollment as the API tells it. */
export function toldEnrollment(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "8123",
    source: "api",
    status: "ENROLLED",
    reason: null,
    contact: { id: "901", email: "ada@lead.example" },
    sequence: { id: "51", name: "Inbound" },
    sender: { userId: "77", name: "Ada Brandt", email: "ada@acme.example" },
    workflowId: null,
    importId: null,
    reference: null,
    hubspotEnrollmentId: "900123",
    createdAt: "2026-11-27T05:00:00.000Z",
    startedAt: null,
    updatedAt: "2026-11-27T05:00:01.000Z",
    enrolledAt: "2026-11-27T05:00:01.000Z",
    dueAt: null,
    ended: null,
    ...changes,
  };
}

/** A refusal as the API words it. */
export function toldProblem(status: number, code: string, headers: Record<string, string> = {}) {
  return {
    status,
    headers,
    body: { type: "about:blank", title: code, status, detail: `Said ${code}.`, code },
  };
}
