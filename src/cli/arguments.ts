import { parseArgs } from "node:util";
import { WrongUse } from "./errors.js";

/** An option of a command. Its name is written in the help as `--name VALUE`. */
export interface Option {
  readonly name: string;
  /** What stands for its value in the help; without one the option is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly isRepeated?: boolean;
  /** Used if the option stands there without a value: only then may the value be left out, if it is a number. */
  readonly bareValue?: string;
}

export interface Arguments {
  readonly operands: readonly string[];
  has(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** @throws WrongUse unless it is a whole number within the bounds. */
  number(name: string, bounds: { min: number; max: number }): number | undefined;
}

/** API fields are written `sequenceId`, options `--sequence-id`; either is understood. */
function asOptionName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Writes `--sequenceId=5` as `--sequence-id=5`, gives an option that may stand alone its value, and joins one with a value
 * that begins with a hyphen, as in `--sort -createdAt`: Node takes that for another option.
 */
function spellOut(args: readonly string[], options: readonly Option[]): string[] {
  const byName = new Map(options.map((option) => [`--${option.name}`, option]));
  const spelled: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") return [...spelled, ...args.slice(index)];
    if (!arg.startsWith("--")) {
      spelled.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = asOptionName(equals < 0 ? arg : arg.slice(0, equals));
    const { value, bareValue } = byName.get(name) ?? {};
    const next = args[index + 1] ?? "";
    const isJoined =
      bareValue === undefined ? value !== undefined && HYPHENED.test(next) : /^\d+$/.test(next);
    if (equals >= 0) spelled.push(name + arg.slice(equals));
    else if (isJoined) {
      spelled.push(`${name}=${next}`);
      index += 1;
    } else spelled.push(bareValue === undefined ? name : `${name}=${bareValue}`);
  }
  return spelled;
}

/** A value and no option: the only short one is `-h`. */
const HYPHENED = /^-(?!-|h$)./;

/** Node's words for a wrong option, without the advice on escaping it. */
function wrongUseOf(error: unknown): WrongUse {
  const message = error instanceof Error ? (error.message.split(". To specify")[0] ?? "") : String(error);
  return new WrongUse(message, { cause: error });
}

/**
 * Reads a command's arguments.
 *
 * @throws WrongUse for an option the command does not have, one given twice, one without its value, or too many operands.
 */
export function readArguments(
  args: readonly string[],
  spec: { options: readonly Option[]; mostOperands: number },
): Arguments {
  const { values, positionals } = parse(spellOut(args, spec.options), spec.options);
  if (positionals.length > spec.mostOperands)
    throw new WrongUse(`Unexpected argument “${positionals[spec.mostOperands] ?? ""}”.`);
  const list = (name: string): readonly string[] => (values[name] ?? []).filter((value) => value !== true);
  const text = (name: string): string | undefined => {
    const given = list(name);
    if (given.length > 1) throw new WrongUse(`--${name} is given more than once.`);
    return given[0];
  };
  return {
    operands: positionals,
    has: (name) => values[name] !== undefined,
    list,
    text,
    number: (name, bounds) => numberOf(name, text(name), bounds),
  };
}

function parse(
  args: string[],
  options: readonly Option[],
): { values: Record<string, (string | true)[] | undefined>; positionals: string[] } {
  const config = Object.fromEntries(
    options.map(({ name, value }) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), multiple: true },
    ]),
  );
  try {
    const parsed = parseArgs({
      args,
      options: { ...config, help: { type: "boolean", short: "h", multiple: true } },
      allowPositionals: true,
    });
    return { values: parsed.values as Record<string, (string | true)[]>, positionals: parsed.positionals };
  } catch (error) {
    throw wrongUseOf(error);
  }
}

function numberOf(
  name: string,
  text: string | undefined,
  { min, max }: { min: number; max: number },
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw new WrongUse(`--${name} takes a whole number from ${min} to ${max}, not “${text}”.`);
}
