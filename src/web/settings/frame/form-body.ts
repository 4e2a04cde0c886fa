import type { Request } from "express";
import type { z } from "zod";
import type { Actor } from "#domain/audit/audit.js";
import type { AdminVisit } from "../session/visit.js";

/** The texts of a submitted form. A field that is missing is an empty one. */
export interface FormBody {
  /** Trimmed, without what PostgreSQL cannot hold; the first where a name comes more than once. */
  text(name: string): string;
  /** All of a name that comes more than once. */
  texts(name: string): string[];
  has(name: string): boolean;
  /** The version a form (or what one field of it names) was filled in from; -1, which nothing has, where it is missing or mangled. */
  version(field?: string): number;
}

export function readForm({ body }: Request): FormBody {
  return readFields((body ?? {}) as Record<string, unknown>);
}

/** The same for what an address carries. */
export function readFields(given: Record<string, unknown>): FormBody {
  const fields = new Map(Object.entries(given));
  const texts = (name: string): string[] => {
    const value = fields.get(name);
    const all: unknown[] = Array.isArray(value) ? value : [value];
    return all.filter((text) => typeof text === "string").map((text) => text.replaceAll("\0", "").trim());
  };
  const text = (name: string): string => texts(name)[0] ?? "";
  return {
    text,
    texts,
    has: (name) => fields.has(name),
    version: (field = "version") => (/^\d{1,9}$/.test(text(field)) ? Number(text(field)) : -1),
  };
}

/** An id as it stands in addresses and forms; undefined where it is none. */
export function readId(text: unknown): bigint | undefined {
  return typeof text === "string" && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

/** What is wrong with a form, by the name of its field; a sentence each. */
export type Problems = Readonly<Record<string, string>>;

/** The first problem of each field; fields are named as in the form. */
export function problemsOf({ issues }: z.ZodError): Problems {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) problems[String(path[0])] ??= message;
  return problems;
}

export function actorOf({ session }: AdminVisit): Actor {
  return { userId: session.userId, userEmail: session.userEmail };
}
