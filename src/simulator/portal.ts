import { declaredScopes } from "./world/options.js";
import type { World } from "./world/world.js";
import { signedFetch, type SignedFetch } from "./workflow/hubspot-fetch.js";
import { fetchOptions, type OptionsAnswer, type OptionsRequest } from "./workflow/options.js";
import type { RunRequest } from "./workflow/run-request.js";
import { WorkflowRun } from "./workflow/run.js";
import { WebhookLine } from "./workflow/subscriptions.js";
import { sendWebhooks, type WebhookDelivery, type WebhookEvent } from "./workflow/webhooks.js";
import { CallbackLedger } from "./portal/callbacks.js";
import type { SimulatedList } from "./portal/lists.js";
import { PortalCalendar } from "./portal/calendar.js";
import { ContactProperties } from "./portal/contact-properties.js";
import { FlowRunner } from "./flows/flow-runner.js";
import { FlowStore } from "./flows/flow-store.js";
import { seededFlows } from "./flows/seeded-flows.js";
import type { ContactSeed, Seeder, SequenceSeed, UserSeed } from "./seeding.js";
import { makeTrouble, type Trouble } from "./portal/troubles.js";
import type { SimulatedContact, SimulatedSequence, SimulatedUser } from "./portal/model.js";
import { PortalContacts } from "./portal/contacts.js";
import { known } from "./portal/records.js";
import { Traffic } from "./portal/traffic.js";

export interface PortalTraits {
  readonly portalId: number;
  readonly name: string;
  readonly timeZone: string;
  readonly uiDomain: string;
  /** Scopes this account's tier cannot grant. */
  readonly unavailableScopes: readonly string[];
}

/** One HubSpot account: who and what is in it, its installs and workflows, and its faults. */
export class SimulatedPortal extends PortalContacts {
  readonly portalId: number;
  readonly traits: PortalTraits;
  readonly callbacks = new CallbackLedger();
  readonly traffic = new Traffic();
  readonly runs: WorkflowRun[] = [];
  readonly flows: FlowStore;
  readonly flowRunner: FlowRunner;
  /** Every entry of a contact into a workflow that the simulator runs, the oldest first. */
  readonly flowEntries: { readonly flowId: string; readonly contactId: string; readonly atMs: number }[] = [];
  readonly contactProperties = new ContactProperties();
  readonly webhooks: WebhookLine;
  readonly #calendar: PortalCalendar;
  #seeder: Seeder | undefined;

  constructor(world: World, traits: PortalTraits) {
    super(world);
    this.portalId = traits.portalId;
    this.traits = traits;
    this.webhooks = new WebhookLine(world, this);
    this.#calendar = new PortalCalendar(traits.timeZone);
    this.flows = new FlowStore(traits.portalId);
    for (const flow of seededFlows(world.settings.actionDefinitionId)) this.flows.create(flow, world.now());
    this.flowRunner = new FlowRunner(world, this);
  }

  /** Hands over the maker of further records; seeding does this once. */
  attachSeeder(seeder: Seeder): void {
    this.#seeder = seeder;
  }

  addUser(seed?: UserSeed): SimulatedUser {
    return this.#records.addUser(seed);
  }

  addSequence(seed?: SequenceSeed): SimulatedSequence {
    return this.#records.addSequence(seed);
  }

  addContact(seed?: ContactSeed): SimulatedContact {
    return this.#records.addContact(seed);
  }

  /** Adds a list of contacts, or of other records; the API shows it to whoever has `crm.lists.read`. */
  addList({
    name,
    memberIds,
    objectTypeId = "0-1",
  }: Pick<SimulatedList, "name" | "memberIds"> & { objectTypeId?: string }): SimulatedList {
    const listId = String(this.portalId * 1_000 + this.lists.size + 1);
    const list = { listId, name, memberIds, objectTypeId, createdAtMs: this.world.now() };
    this.lists.set(listId, list);
    return list;
  }

  /** Adds a contact that cannot be enrolled, for the given reason. */
  addTroubledContact(trouble: Trouble): SimulatedContact {
    return makeTrouble(this.#records, trouble);
  }

  get #records(): Seeder {
    return known(this.#seeder, "seeder");
  }

  /** The portal's own calendar day, `YYYY-MM-DD`: enrollment limits reset at its midnight. */
  dayAt(atMs: number): string {
    return this.#calendar.dayAt(atMs);
  }

  /** Deactivates a user: the owner is archived and nobody can send as them. */
  deactivateUser(userId: number): void {
    this.user(userId).active = false;
    this.ownerOfUser(userId).archived = true;
  }

  /** Removes the app as the customer would: refresh tokens die at once (docs/hubspot.md §2.5). */
  uninstall(): void {
    this.world.grants.removePortal(this.portalId);
    this.world.signals.announce("grant", { portalId: this.portalId, what: "uninstalled" });
  }

  /** The account loses scopes it had granted, as with a tier that does not have them. */
  withdrawScopes(scopes: readonly string[]): void {
    this.world.grants.withdrawScopes(this.portalId, scopes);
  }

  /** Makes every access token issued so far count as expired. */
  expireAccessTokens(): void {
    this.world.grants.expireAccessTokens(this.portalId);
  }

  /** A bearer token for the installed app, without the token endpoint: for probing the API by hand. */
  accessToken(scopes?: readonly string[]): string {
    const { grants, settings } = this.world;
    const wanted = scopes ?? declaredScopes(settings);
    const grant = grants.create({ portalId: this.portalId, userId: this.admin.userId, scopes: wanted });
    return grants.issueAccessToken(grant).token;
  }

  /** Runs a workflow's contacts through an action; see {@link WorkflowRun} for what can be watched. */
  runAction(request: RunRequest): WorkflowRun {
    const run = new WorkflowRun(this.world, this, request);
    this.runs.push(run);
    run.start();
    return run;
  }

  /** Lets held executions expire whose time, by the simulator's clock, has passed; returns how many did. */
  expireOverdue(): number {
    return this.runs.reduce((sum, run) => sum + run.expireOverdue(), 0);
  }

  /** Asks an `optionsUrl` as the workflow editor does. */
  fetchOptions(request: OptionsRequest): Promise<OptionsAnswer> {
    return fetchOptions(this.world, this, request);
  }

  /** Delivers webhook events in batches of at most 100, signed v1 and v3. */
  sendWebhooks(events: readonly WebhookEvent[], url: string): Promise<WebhookDelivery[]> {
    return sendWebhooks(this.world, this, { events, url });
  }

  /** Calls a backend as `hubspot.fetch` in a UI extension does: identity in the query, signed v3. */
  hubspotFetch(url: string, request: SignedFetch = {}): Promise<{ status: number; body: string }> {
    return signedFetch(this.world, this, { url, ...request });
  }
}
