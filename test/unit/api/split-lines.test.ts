import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { splitLines, type Line } from "#web/api/kit/stream/split-lines.js";

const MOST_BYTES = 12;

async function linesOf(bytes: Buffer, cuts: readonly number[], isLastKnown = true): Promise<Line[]> {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  async function* arriving() {
    for (const [index, piece] of pieces.entries())
      yield await Promise.resolve({ bytes: piece, isLast: isLastKnown && index === pieces.length - 1 });
  }
  const lines: Line[] = [];
  let ends = 0;
  for await (const arrived of splitLines(arriving(), MOST_BYTES)) {
    lines.push(...arrived.lines);
    ends += arrived.isLast ? 1 : 0;
  }
  expect(ends).toBe(1);
  return lines;
}

const text = fc.constantFrom(
  "a",
  "é",
  "😀",
  "",
  " ",
  "x".repeat(12),
  "x".repeat(13),
  "y".repeat(40),
  '{"a":1}',
);

test("however a body is cut into pieces, its lines are the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 8 }),
      fc.constantFrom("\n", "\r\n"),
      fc.tuple(fc.array(fc.nat(200)), fc.boolean()),
      async (texts, lineBreak, [cuts, isLastKnown]) => {
        const wanted = texts
          .filter((one) => one.trim() !== "")
          .map((one): Line =>
            Buffer.byteLength(one) > MOST_BYTES ? { problem: "too-long" } : { text: one },
          );
        expect(await linesOf(Buffer.from(texts.join(lineBreak)), cuts, isLastKnown)).toEqual(wanted);
      },
    ),
    { numRuns: 300 },
  );
});

test("a mark of the byte order is no part of the first line, and bytes that are no text make a line unusable", async () => {
  const bytes = Buffer.concat([
    Buffer.from("\ufeffone\n"),
    Buffer.from([0xff, 0x0a]),
    Buffer.from("\ufefft"),
  ]);
  expect(await linesOf(bytes, [1, 2])).toEqual([
    { text: "one" },
    { problem: "not-text" },
    { text: "\ufefft" },
  ]);
});
