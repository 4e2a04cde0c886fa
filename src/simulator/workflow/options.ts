import { isRecord, parseJson } from "../wire/body.js";
import type { SimulatedPortal } from "../portal.js";
import type { SigningPlan } from "../world/signing.js";
import type { World } from "../world/world.js";
import { deliver } from "./outbound.js";

/** What the workflow editor asks of an `optionsUrl` (docs/hubspot.md §3.7). */
export interface OptionsRequest {
  readonly optionsUrl: string;
  readonly publicUrl?: string;
  readonly inputFieldName: string;
  /** Search text, sent once the app has said `searchable`. */
  readonly q?: string;
  /** Cursor out of the answer before. */
  readonly after?: string;
  /** Values of the other inputs so far. */
  readonly inputFields?: Readonly<Record<string, string>>;
  readonly signing?: SigningPlan;
  readonly timeoutMs?: number;
}

export interface OptionsAnswer {
  readonly status: number;
  readonly tookMs: number;
  readonly options: readonly {
    readonly label: string;
    readonly value: string;
    readonly description?: string;
  }[];
  readonly after: string | undefined;
  readonly searchable: boolean;
  /** As received; the other fields are empty if it could not be read. */
  readonly body: string;
}

export async function fetchOptions(
  world: World,
  portal: SimulatedPortal,
  request: OptionsRequest,
): Promise<OptionsAnswer> {
  const startedAt = performance.now();
  const answer = await deliver(world, {
    method: "POST",
    url: request.optionsUrl,
    publicUrl: request.publicUrl,
    body: payload(world, portal, request),
    signing: request.signing,
    timeoutMs: request.timeoutMs ?? 5000,
  });
  const tookMs = performance.now() - startedAt;
  if (answer.kind === "unreachable") return { ...NOTHING, status: 0, tookMs, body: answer.reason };
  return { ...NOTHING, ...read(answer.body), status: answer.status, tookMs, body: answer.body };
}

const NOTHING = { options: [], after: undefined, searchable: false } as const;

function read(body: string): Partial<OptionsAnswer> {
  const parsed = parseJson(body);
  if (!isRecord(parsed) || !Array.isArray(parsed["options"])) return {};
  return {
    options: parsed["options"] as OptionsAnswer["options"],
    after: typeof parsed["after"] === "string" ? parsed["after"] : undefined,
    searchable: parsed["searchable"] === true,
  };
}

/** `fetchOptions` is absent on the first call unless the editor searches. */
function payload(world: World, portal: SimulatedPortal, request: OptionsRequest): string {
  const { q, after, inputFields = {}, inputFieldName } = request;
  const fetchOptions = q === undefined && after === undefined ? undefined : { q, after };
  return JSON.stringify({
    origin: {
      portalId: portal.portalId,
      actionDefinitionId: world.settings.actionDefinitionId,
      actionDefinitionVersion: 1,
    },
    objectTypeId: "0-1",
    inputFieldName,
    inputFields: Object.fromEntries(
      Object.entries(inputFields).map(([name, value]) => [name, { type: "STATIC_VALUE", value }]),
    ),
    fetchOptions,
  });
}
