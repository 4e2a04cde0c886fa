import type { RequestHandler, Response } from "express";
import { z } from "zod";
import type { OptionPage, OptionQuery } from "#domain/directory/options.js";
import { bodyBytes } from "./read-body.js";
import { endOf, type AccountShare } from "#web/kit/account-share.js";
import { requestIdOf } from "#web/kit/request-id.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { parseStorableJson } from "#platform/text/storable-json.js";

const maybeText = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null);

/**
 * What HubSpot's workflow editor asks for a dropdown (docs/hubspot.md §3.7). Only the portal is required: any other
 * field in an unexpected form counts as absent, since an unfiltered list is more useful than none.
 */
const optionsRequest = z.object({
  origin: z.object({
    portalId: z.union([z.string().regex(/^\d{1,18}$/), z.number().int().nonnegative()]).transform(BigInt),
  }),
  inputFieldName: z.string().nullish().catch(null),
  inputFields: z.record(z.string(), z.unknown()).nullish().catch(null),
  fetchOptions: z.object({ q: maybeText, after: maybeText }).nullish().catch(null),
});

type OptionsRequest = z.output<typeof optionsRequest>;

/** The field's current value in the step: `{type, value}` in HubSpot's request, or a plain value. */
function selectedValue(request: OptionsRequest, fieldName: string): string | undefined {
  const field = request.inputFields?.[request.inputFieldName ?? fieldName];
  const value = typeof field === "object" && field !== null ? (field as { value?: unknown }).value : field;
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parse(body: Buffer): OptionsRequest | undefined {
  try {
    return optionsRequest.safeParse(parseStorableJson(body.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

export interface DropdownOptions {
  /** Name of the action's input this list is for. */
  readonly fieldName: string;
  /** The account's dropdowns take turns. */
  readonly share: AccountShare;
  /** Waits until the portal has a copy to read, or for as long as that is worth it. */
  readonly isReady: (portalId: PortalId) => Promise<void>;
  /** Reads the page, for as long as somebody waits for it. */
  readonly load: (query: OptionQuery, signal: AbortSignal) => Promise<OptionPage>;
  /** May renew the copy behind the answer. */
  readonly onAsked: (portalId: PortalId) => void;
}

/** Seconds after which to ask again. */
const ASK_AGAIN_S = 2;

/**
 * `POST /hubspot/options/…`: a page of a dropdown, from our copy of the portal's directory. 429 while the account has
 * too many open at once.
 */
export function fetchOptions(options: DropdownOptions): RequestHandler {
  return async (request, response) => {
    const asked = parse(bodyBytes(request));
    if (asked === undefined) {
      response.status(400).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
      return;
    }
    const { portalId } = asked.origin;
    const signal = endOf(response);
    await options.isReady(portalId);
    const leave = await options.share.enter(portalId, signal);
    if (leave === undefined) return refuse(response);
    try {
      const page = await options.load(queryOf(asked, options.fieldName), signal);
      options.onAsked(portalId);
      response.json({ ...page, searchable: true });
    } finally {
      leave();
    }
  };
}

function queryOf(asked: OptionsRequest, fieldName: string): OptionQuery {
  return {
    portalId: asked.origin.portalId,
    search: asked.fetchOptions?.q ?? undefined,
    after: asked.fetchOptions?.after ?? undefined,
    selected: selectedValue(asked, fieldName),
  };
}

function refuse(response: Response): void {
  if (response.closed || response.headersSent) return;
  response.set("Retry-After", String(ASK_AGAIN_S));
  response.status(429).json({ code: "TOO_MANY_REQUESTS", requestId: requestIdOf(response) });
}
