import { once } from "node:events";
import { Readable } from "node:stream";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { Request } from "express";
import { ImportFileError } from "#domain/imports/file/file-error.js";
import { mediaTypeOf } from "#web/api/kit/read-json.js";

/** A sender that sends nothing for so long has gone. */
const STALL_MS = 30_000;
/** How long the parser may take over a form that has been received whole. Of some that are none it never says so. */
const PARSE_MS = 1_000;

/**
 * The bytes of the uploaded file, no faster than they are taken: the body itself, or its field `file` in a form.
 *
 * @throws ImportFileError if the form has no such field, or cannot be read; also if nothing comes any more.
 */
export async function uploadedFile(request: Request): Promise<AsyncIterable<Uint8Array>> {
  const body = unlessStalled(request);
  if (mediaTypeOf(request) !== "multipart/form-data") return body;
  return fileOfForm(request, body);
}

async function* unlessStalled(request: Request): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => request.destroy(new Error("nothing was sent any more")), STALL_MS);
  try {
    for await (const piece of request as AsyncIterable<Uint8Array>) {
      yield piece;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
}

async function fileOfForm(
  request: Request,
  body: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const form = openForm(request);
  const source = Readable.from(body, { objectMode: false });
  const found = new Promise<Readable>((resolve, reject) => {
    form.on("file", (field, file) => {
      if (field === "file") resolve(file);
      else file.resume();
    });
    form.on("finish", () => {
      reject(new ImportFileError("SYNTAX", "The form has no file in its field “file”."));
    });
    form.on("error", (error) => {
      reject(new ImportFileError("SYNTAX", "The form cannot be read.", { cause: error }));
    });
    source.on("error", reject);
    source.on("end", () => {
      setTimeout(() => {
        reject(new ImportFileError("SYNTAX", "The form cannot be read."));
      }, PARSE_MS).unref();
    });
  });
  source.pipe(form);
  const file = await found;
  const failed = once(source, "error").then(([error]) => file.destroy(error as Error));
  failed.catch(() => undefined);
  form.on("error", (error) => file.destroy(error as Error));
  return file;
}

function openForm({ headers }: Request): Busboy {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { files: 5, fields: 20, fieldSize: 4_096 },
    });
  } catch (error) {
    throw new ImportFileError("SYNTAX", "The form names no boundary.", { cause: error });
  }
}
