import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import ts from "typescript";
import { z } from "zod";
import { parseStorableJson } from "#platform/text/storable-json.js";
import { hideSecrets } from "#platform/observability/secret-shapes.js";
import { redactText } from "#platform/observability/redact.js";
import { refusalCode } from "#domain/executions/refusal.js";

const SOURCE = new URL("../../src/", import.meta.url).pathname;

/** What no stranger's text reaches: generated code, the stand-in for HubSpot, the demo, scripts of the build. */
const APART = /^(?:db\/generated|simulator)\/|^bin\/(?:demo|simulator|oauth-browser)|\.mjs$/;

const sourceFiles = (readdirSync(SOURCE, { recursive: true }) as string[])
  .filter((file) => /\.tsx?$/.test(file) && !APART.test(file))
  .sort();

interface Found {
  where: string;
  text: string;
}

/** What a file has of patterns: the literals, and those put together at run time. */
function findPatterns(file: string): { literals: Found[]; made: Found[] } {
  const kind = file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const source = ts.createSourceFile(
    ...([file, readFileSync(path.join(SOURCE, file), "utf8"), ts.ScriptTarget.Latest, true, kind] as const),
  );
  const found = { literals: [] as Found[], made: [] as Found[] };
  const visit = (node: ts.Node): void => {
    const isMade = ts.isNewExpression(node) || ts.isCallExpression(node);
    const into = ts.isRegularExpressionLiteral(node)
      ? found.literals
      : isMade && node.expression.getText() === "RegExp"
        ? found.made
        : undefined;
    const line = () => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    into?.push({ where: `${file}:${line()}`, text: node.getText() });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const found = sourceFiles.map(findPatterns);
const literals = found.flatMap((file) => file.literals);

function toPattern(literal: string): RegExp {
  const end = literal.lastIndexOf("/");
  return new RegExp(literal.slice(1, end), literal.slice(end + 1));
}

/** Up to the longest request line and header that Node takes; in steps, so that a bad pattern fails and does not hang. */
const LENGTHS = [24, 34, 48, 68, 100, 400, 1_600, 16_384];
const LIMIT_MS = 50;

/** Of this process, so that others on the machine do not count. */
function workedMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The texts are made to length from one or two units, and end in what may spoil a match. */
function* hostileTexts(units: readonly string[], length: number): Generator<string> {
  const run = (unit: string, size: number) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
  for (const first of units) {
    for (const second of units) {
      const text = run(first, length / 2) + run(second, length / 2);
      for (const end of ["", "\n!", '"']) yield text + end;
    }
  }
}

const COMMON = ["\\", '"', '\\"', "a.", '"token', "token", " ", "1", "a-", 'a"'];

/** What a pattern itself is made of, as units to repeat: its words, its single characters, members of its classes. */
function unitsOf(literal: string): string[] {
  const plain = literal.replace(/\\[a-zA-Z]|[()[\]{}|^$*+?/]/g, " ");
  const words = plain.match(/[A-Za-z_]{3,}/g) ?? [];
  const characters = [...new Set(plain.replace(/[A-Za-z\d\s]/g, ""))];
  return [...new Set([...words.slice(0, 4), ...characters.slice(0, 4)])];
}

/** The first text that takes too long; undefined if there is none. Looked at three times: memory is tidied up in between. */
function slowText(work: (text: string) => unknown, units: readonly string[]): string | undefined {
  for (const length of LENGTHS) {
    for (const text of hostileTexts(units, length)) {
      const isSlow = () => workedMs(() => work(text)) > LIMIT_MS;
      if (isSlow() && isSlow() && isSlow()) return `${text.slice(0, 40)}… (${text.length})`;
    }
  }
  return undefined;
}

function match(pattern: RegExp, text: string): void {
  if (pattern.global) text.replace(pattern, "");
  else pattern.exec(text);
}

describe("every pattern of the source takes little time for any 16 kB of text", () => {
  test("there are patterns to look at, and none is put together at run time", () => {
    expect(literals.length).toBeGreaterThan(100);
    expect(found.flatMap(({ made }) => made)).toEqual([]);
  });

  test("as it stands in the source", () => {
    const slow = [...new Map(literals.map((literal) => [literal.text, literal])).values()].flatMap(
      ({ where, text: literal }) => {
        const pattern = toPattern(literal);
        const own = [...unitsOf(literal), "\\", '"', "a.", "1", " "].slice(0, 9);
        const text = slowText((given) => match(pattern, given), own);
        return text === undefined ? [] : [`${where} ${literal}: ${text}`];
      },
    );
    expect(slow).toEqual([]);
  }, 60_000);

  test("or in what the forms use of zod", () => {
    const pattern = z.regexes.email;
    expect(slowText((text) => match(pattern, text), [...COMMON, "a", "@", "a@", "a.a@"])).toBeUndefined();
  });
});

describe("what meets outside text as a whole takes little time for any 16 kB of it", () => {
  const units = [...COMMON, "a://b:", "x=", "na1-aaaa", "eyJa.", "Bearer ", "aB1", "%3F", '"a":"'];
  test.each<[string, (text: string) => unknown]>([
    ["removing secrets", hideSecrets],
    ["cutting a text for the log", (text) => redactText(text)],
    ["finding what HubSpot refused", (message) => refusalCode({ ...REFUSAL, message })],
    ["reading JSON", (text) => parsed(`1234567890123456${text}`)],
    ["reading JSON texts", (text) => parsed(`[1234567890123456,"${text}`)],
  ])("%s", (_what, work) => {
    expect(slowText(work, units)).toBeUndefined();
  });
});

const REFUSAL = { httpStatus: 400, category: undefined, codes: [] };

function parsed(text: string): unknown {
  try {
    return parseStorableJson(text);
  } catch {
    return undefined;
  }
}
