import { Readable } from "node:stream";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { Request } from "express";
import { ImportFileError } from "#domain/imports/file/file-error.js";
import { takeOverTime } from "../request-time.js";

/** A sender that sends nothing for so long has gone. */
const STALL_MS = 30_000;
/** For the whole file. */
const LONGEST_MS = 300_000;
/** How long the parser may take over a form that has been received whole. Of some that are none it never says so. */
const PARSE_MS = 1_000;
/** Of a form, besides its file. Bytes. */
const FORM_LIMITS = { files: 5, fields: 20, fieldSize: 4_096 };

/** A file on its way, and what its form said before it. */
export interface UploadedFile {
  readonly fields: ReadonlyMap<string, string>;
  /** As the form calls it; empty: it does not. */
  readonly name: string;
  /** No faster than they are taken. What is not taken stays unread in the request. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The body itself is the file. */
export function fileOfBody(request: Request): UploadedFile {
  return { fields: new Map(), name: "", bytes: unlessStalled(request) };
}

/**
 * The file in the field `file` of a form (`multipart/form-data`), and the fields that stand before it. What is wrong with
 * the form is found out with its bytes, which throw an ImportFileError then.
 */
export async function fileOfForm(request: Request): Promise<UploadedFile> {
  const fields = new Map<string, string>();
  const source = Readable.from(unlessStalled(request), { objectMode: false });
  try {
    const { name, file } = await findFile(source, { form: openForm(request), fields });
    return { fields, name, bytes: untilLeft(file, source) };
  } catch (error) {
    source.destroy();
    return { fields, name: "", bytes: failing(error) };
  }
}

function findFile(
  source: Readable,
  { form, fields }: { form: Busboy; fields: Map<string, string> },
): Promise<{ name: string; file: Readable }> {
  return new Promise((resolve, reject) => {
    let found: Readable | undefined;
    const fail = (error: Error): void => {
      reject(error);
      found?.destroy(error);
    };
    form.on("field", (name, value) => {
      if (!fields.has(name)) fields.set(name, value);
    });
    form.on("file", (field, file, name) => {
      if (field !== "file" || found !== undefined) return file.resume();
      found = file;
      resolve({ name, file });
    });
    form.on("finish", () => {
      reject(new ImportFileError("SYNTAX", "The form has no file in its field “file”."));
    });
    form.on("error", (error) => {
      fail(new ImportFileError("SYNTAX", "The form cannot be read.", { cause: error }));
    });
    source.on("error", fail);
    source.on("end", () => {
      setTimeout(() => {
        reject(new ImportFileError("SYNTAX", "The form cannot be read."));
      }, PARSE_MS).unref();
    });
    source.pipe(form);
  });
}

async function* failing(error: unknown): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  throw error;
}

/** Stops reading the form with whoever reads the file. */
async function* untilLeft(file: Readable, source: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* file as AsyncIterable<Uint8Array>;
  } finally {
    source.unpipe();
    source.destroy();
  }
}

/** The request outlives its reader: an answer may still be given to whoever has not sent all of it. */
async function* unlessStalled(request: Request): AsyncGenerator<Uint8Array> {
  // A large file takes longer than other requests may: its time is bounded here instead.
  takeOverTime(request);
  const timer = setTimeout(() => request.destroy(new Error("nothing was sent anymore")), STALL_MS);
  const end = setTimeout(() => request.destroy(new Error("it took too long")), LONGEST_MS);
  try {
    const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const piece of pieces) {
      yield piece;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
    clearTimeout(end);
  }
}

function openForm({ headers }: Request): Busboy {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: FORM_LIMITS });
  } catch (error) {
    throw new ImportFileError("SYNTAX", "The form names no boundary.", { cause: error });
  }
}
