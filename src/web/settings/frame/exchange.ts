import type { Request, Response } from "express";
import type { Present } from "#domain/history/shown-outcome.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { UploadedFile } from "#web/kit/body/uploaded-file.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { MemberVisit } from "../session/visit.js";

/** A request of an admin who was let in, and the answer to it. */
export interface Exchange {
  /** The database is read for as long as somebody waits for the answer. */
  readonly options: SettingsOptions;
  readonly visit: MemberVisit;
  readonly request: Request;
  readonly response: Response;
}

/** The same with a form that this session's page sent. */
export interface FormExchange extends Exchange {
  readonly form: FormFields;
}

/** The same with a form that has a file. */
export interface UploadExchange extends FormExchange {
  readonly file: UploadedFile;
}

/** Answers a page, a part of one or a file. */
export type Handler = (exchange: Exchange) => Promise<void>;

/** Acts on a form and answers it. */
export type FormHandler = (exchange: FormExchange) => Promise<void>;

/** Reads a file and answers its form. */
export type UploadHandler = (exchange: UploadExchange) => Promise<void>;

/** By what an outcome is told: a paused account says other things of what waits. */
export function presentOf({ options, visit }: Exchange): Present {
  return { now: options.now(), isPaused: visit.portal.pausedAt !== null };
}
