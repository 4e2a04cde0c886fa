import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { HubSpotAnsweredOddly, HubSpotAnsweredWithPage, HubSpotRejected } from "./errors.js";
import type { HubSpotRequest, PortalTransport } from "./transport.js";
import { anyPage, readPage, type HubSpotPage } from "./wire/list-page.js";
import { account } from "./wire/records.js";
import { paths } from "./wire/paths.js";

/** Reads HubSpot's answers over a portal's transport. All throw HubSpotAnsweredOddly for another shape than `schema`. */
export interface AnswerReader {
  /** An answer of this shape. */
  readonly read: <S extends z.ZodType>(request: HubSpotRequest, schema: S) => Promise<z.output<S>>;
  /** A record by its id; undefined if there is none. */
  readonly one: <S extends z.ZodType>(request: HubSpotRequest, schema: S) => Promise<z.output<S> | undefined>;
  /** One page of a list of such records. */
  readonly page: <S extends z.ZodType<{ id: string | bigint }>>(
    request: HubSpotRequest,
    record: S,
  ) => Promise<HubSpotPage<z.output<S>>>;
}

export function createAnswerReader(call: PortalTransport): AnswerReader {
  async function read<S extends z.ZodType>(request: HubSpotRequest, schema: S): Promise<z.output<S>> {
    const parsed = schema.safeParse(await call(request));
    if (!parsed.success) throw otherShape(request, parsed.error);
    return parsed.data;
  }

  const isAnswering = () => read({ method: "GET", path: paths.accountDetails }, account);

  return {
    read,
    one: (request, schema) => readById(() => read(request, schema), isAnswering),
    page: async (request, record) => readPage(await read(request, anyPage), record),
  };
}

/** 404 as a value: for reads, "not there" is an answer. */
export async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus === 404) return undefined;
    throw error;
  }
}

/** Pauses before a record is read again after a 404 with an HTML page. */
const PAUSES_AFTER_PAGE_MS = [200, 800];

/**
 * Reads a record by its id, or finds that there is none. A 404 with an HTML page may come from a proxy in front of
 * HubSpot: it is repeated, and believed if HubSpot answers another request meanwhile.
 */
async function readById<T>(
  read: () => Promise<T>,
  isAnswering: () => Promise<unknown>,
): Promise<T | undefined> {
  for (const pauseMs of [...PAUSES_AFTER_PAGE_MS, undefined]) {
    try {
      return await orUndefined(read());
    } catch (error) {
      if (!(error instanceof HubSpotAnsweredWithPage) || error.httpStatus !== 404) throw error;
      if (pauseMs !== undefined) await sleep(pauseMs);
    }
  }
  await isAnswering();
  return undefined;
}

function otherShape({ method, path }: HubSpotRequest, cause: unknown): HubSpotAnsweredOddly {
  return new HubSpotAnsweredOddly(`HubSpot's answer to ${method} ${path} has another shape`, { cause });
}
