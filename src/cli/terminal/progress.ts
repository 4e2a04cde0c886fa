import type { Output } from "./output.js";
import { visibleText } from "./visible-text.js";

export interface Progress {
  /** `of` 0 while nobody knows how much there is. `detail` follows the numbers. */
  show(state: { what: string; done: number; of: number; detail?: string }): void;
  /** Leaves the last line as it stands and begins a new one. */
  end(): void;
}

const BAR_WIDTH = 24;
/** Plain lines are for logs: one each so often, and whenever the kind of work changes. */
const PLAIN_EVERY_MS = 10_000;
const count = new Intl.NumberFormat("en-US");

function numbersOf({ done, of }: { done: number; of: number }): string {
  return of > 0 ? `${count.format(done)} of ${count.format(of)}` : count.format(done);
}

function drawBar(done: number, of: number): string {
  const filled = of > 0 ? Math.min(BAR_WIDTH, Math.floor((done / of) * BAR_WIDTH)) : 0;
  return `[${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}]`;
}

/** A bar that renews itself on a terminal. It never grows beyond the terminal's width, which would scroll. */
function createBar(output: Output): Progress {
  let isShown = false;
  return {
    show({ what, done, of, detail = "" }) {
      const text = visibleText(`${what} ${drawBar(done, of)} ${numbersOf({ done, of })} ${detail}`).trimEnd();
      const columns = output.stderr.columns ?? 80;
      output.stderr.write(`\r\u001b[2K${[...text].slice(0, columns - 1).join("")}`);
      isShown = true;
    },
    end() {
      if (isShown) output.stderr.write("\n");
      isShown = false;
    },
  };
}

function createLines(output: Output, now: () => number): Progress {
  let last = { what: "", text: "", at: -Infinity };
  return {
    show({ what, done, of, detail = "" }) {
      const text = `${what}: ${numbersOf({ done, of })} ${detail}`.trimEnd();
      const isDue = what !== last.what || now() - last.at >= PLAIN_EVERY_MS || (of > 0 && done >= of);
      if (!isDue || text === last.text) return;
      output.say(text);
      last = { what, text, at: now() };
    },
    end: () => undefined,
  };
}

/** Progress on stderr: a bar if a person looks at it, plain lines otherwise. */
export function createProgress(output: Output, now: () => number = Date.now): Progress {
  return output.stderr.isTTY === true ? createBar(output) : createLines(output, now);
}
