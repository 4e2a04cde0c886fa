import { z } from "zod";
import { orUndefined, type AnswerReader } from "./answer-reader.js";
import { HubSpotRejected } from "./errors.js";
import type { PortalTransport } from "./transport.js";
import { anyBatch, readEach } from "./wire/list-page.js";
import { paths } from "./wire/paths.js";

const flowId = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,20}$/));
const revision = z.union([z.string().max(100), z.number()]).transform(String);

/** A workflow with what decides whether it is still the one we made; the rest of it is not read. */
const ownFlow = z.object({
  id: flowId,
  revisionId: revision,
  description: z.string().nullish().catch(null),
  isEnabled: z.boolean(),
  startActionId: z.string().optional(),
  actions: z.array(z.record(z.string(), z.unknown())),
  enrollmentCriteria: z.unknown(),
  timeWindows: z.array(z.unknown()).optional(),
  blockedDates: z.array(z.unknown()).optional(),
  suppressionListIds: z.array(z.unknown()).optional(),
});
export type OwnFlow = z.output<typeof ownFlow>;

const listedProperty = z.object({
  name: z.string().max(200),
  label: z.string().max(1_000),
  type: z.string().max(50),
  hidden: z.boolean().nullish(),
  referencedObjectType: z.string().max(50).nullish().catch(null),
});
/** A property of the account's contacts. */
export interface ContactProperty extends Readonly<
  Pick<z.output<typeof listedProperty>, "name" | "label" | "type">
> {
  /** HubSpot shows it to nobody. */
  readonly isHidden: boolean;
  /** Its values are users of the account. */
  readonly holdsUser: boolean;
}

const namedFlow = z.object({ id: flowId, name: z.string().nullish().catch(null) });

const FLOWS_A_PAGE = "100";

/** Requests about what the app makes for itself in an account: a workflow, and a contact property with its values. */
export interface OwnThingsRequests {
  /** Ids of a page of the account's workflows with just this name. */
  listFlowsNamed(
    name: string,
    request: { after?: string | undefined },
  ): Promise<{ ids: string[]; after: string | undefined }>;
  /** Undefined if the account has no such workflow. */
  readOwnFlow(id: string): Promise<OwnFlow | undefined>;
  /** No idempotency key exists: after HubSpotUnavailable, look for it by its name first. */
  createFlow(definition: object): Promise<OwnFlow>;
  deleteFlow(id: string): Promise<void>;
  /** @returns false if the account has a property of this name. */
  createContactProperty(definition: object): Promise<boolean>;
  listContactProperties(): Promise<ContactProperty[]>;
  deleteContactProperty(name: string): Promise<void>;
  /**
   * Gives each of up to 100 contacts a value of one property; an empty text clears it. Repeating it changes nothing.
   * Contacts that are gone are left out by HubSpot.
   */
  writeContactProperty(name: string, values: ReadonlyMap<string, string>): Promise<void>;
}

export function ownThingsRequests(call: PortalTransport, { read, page }: AnswerReader): OwnThingsRequests {
  return {
    async listFlowsNamed(name, { after }) {
      const query = { limit: FLOWS_A_PAGE, after };
      const { results, after: next } = await page({ method: "GET", path: paths.flows, query }, namedFlow);
      return { ids: results.filter((flow) => flow.name === name).map(({ id }) => id), after: next };
    },
    readOwnFlow: (id) => orUndefined(read({ method: "GET", path: paths.flow(id) }, ownFlow)),
    createFlow: (body) => read({ method: "POST", path: paths.flows, body }, ownFlow),
    async deleteFlow(id) {
      await orUndefined(call({ method: "DELETE", path: paths.flow(id) }));
    },
    async createContactProperty(body) {
      try {
        await call({ method: "POST", path: paths.contactProperties, body });
        return true;
      } catch (error) {
        if (error instanceof HubSpotRejected && error.httpStatus === 409) return false;
        throw error;
      }
    },
    async listContactProperties() {
      const { results } = await read({ method: "GET", path: paths.contactProperties }, anyBatch);
      const { read: found } = readEach(results, listedProperty);
      return found.map(({ name, label, type, hidden, referencedObjectType }) => ({
        name,
        label,
        type,
        isHidden: hidden === true,
        holdsUser: referencedObjectType === "OWNER",
      }));
    },
    async deleteContactProperty(name) {
      await orUndefined(call({ method: "DELETE", path: paths.contactProperty(name) }));
    },
    async writeContactProperty(name, values) {
      const inputs = [...values].map(([id, value]) => ({ id, properties: { [name]: value } }));
      await call({ method: "POST", path: paths.contactBatchUpdate, body: { inputs } });
    },
  };
}
