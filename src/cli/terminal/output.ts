import type { Writable } from "node:stream";
import { drawTable, type Cell } from "./table.js";
import { visibleJson, visibleText } from "./visible-text.js";

/** A stream of the process: `isTTY` if a person looks at it. */
export type ProcessStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Where a command writes. What programs read goes to stdout; everything said to a person beside it, to stderr. */
export interface Output {
  /** True once whoever read stdout is gone (`… | head`): a command that only lists may stop. */
  readonly isClosed: () => boolean;
  readonly isJson: boolean;
  /** One JSON value on a line of its own. Resolves when there is room for more. */
  json(value: unknown): Promise<void>;
  /** Lines of text whose parts from outside were made visible before. */
  text(text: string): Promise<void>;
  /** A table, as wide as the terminal at most. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void>;
  /** A remark for the person at the terminal; made visible here. */
  say(line: string): void;
  readonly stderr: ProcessStream;
}

/** Writes and waits for room. Never rejects: a reader who has gone is told by `isClosed`. */
function createSink(stream: ProcessStream): {
  write: (text: string) => Promise<void>;
  isClosed: () => boolean;
} {
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
  };
  // EPIPE arrives as an event, which would end the process if nobody listened.
  stream.on("error", close).on("close", close);
  return {
    isClosed: () => isClosed,
    write(text) {
      if (isClosed) return Promise.resolve();
      return new Promise((resolve) => {
        stream.write(text, () => {
          resolve();
        });
      });
    },
  };
}

/** Of a terminal, in characters; undefined for a file or a pipe. */
function widthOf({ isTTY, columns }: ProcessStream): number | undefined {
  return isTTY === true ? (columns ?? 80) : undefined;
}

export function createOutput(streams: {
  stdout: ProcessStream;
  stderr: ProcessStream;
  isJson: boolean;
}): Output {
  const stdout = createSink(streams.stdout);
  const stderr = createSink(streams.stderr);
  return {
    isClosed: stdout.isClosed,
    isJson: streams.isJson,
    json: (value) => stdout.write(`${visibleJson(value)}\n`),
    text: (text) => stdout.write(`${text}\n`),
    table: (head, rows) => stdout.write(`${drawTable(head, rows, widthOf(streams.stdout))}\n`),
    say: (line) => void stderr.write(`${visibleText(line)}\n`),
    stderr: streams.stderr,
  };
}
