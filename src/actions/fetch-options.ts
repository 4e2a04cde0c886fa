import type { RequestHandler } from "express";
import { z } from "zod";
import type { OptionPage, OptionQuery } from "../directory/options.js";
import { bodyBytes } from "./read-body.js";
import { requestIdOf } from "../http/request-id.js";
import { parseStorableJson } from "../storable-json.js";

const maybeText = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null);

/**
 * What HubSpot's workflow editor asks for a dropdown (docs/hubspot.md §3.7). Only the portal has to be there: what else has another
 * form than expected is taken for absent, since a list that is not searched is of more use than none.
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

/** What the step holds in this field already: `{type, value}` in HubSpot's request, or a plain value. */
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

/**
 * `POST /hubspot/options/…`: a page of a dropdown, from our copy of the portal's directory. `onAsked` may renew the copy
 * behind the answer.
 */
export function fetchOptions(options: {
  /** Name of the action's input this list is for. */
  fieldName: string;
  load: (query: OptionQuery) => Promise<OptionPage>;
  onAsked: (portalId: bigint) => void;
}): RequestHandler {
  return async (request, response) => {
    const asked = parse(bodyBytes(request));
    if (asked === undefined) {
      response.status(400).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
      return;
    }
    const { portalId } = asked.origin;
    const page = await options.load({
      portalId,
      search: asked.fetchOptions?.q ?? undefined,
      after: asked.fetchOptions?.after ?? undefined,
      selected: selectedValue(asked, options.fieldName),
    });
    options.onAsked(portalId);
    response.json({ ...page, searchable: true });
  };
}
