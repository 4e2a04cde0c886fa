import { declaredScopes } from "./world/options.js";
import type { World } from "./world/world.js";
import { signedFetch, type SignedFetch } from "./workflow/hubspot-fetch.js";
import { fetchOptions, type OptionsAnswer, type OptionsRequest } from "./workflow/options.js";
import type { RunRequest } from "./workflow/run-request.js";
import { WorkflowRun } from "./workflow/run.js";
import { WebhookLine } from "./workflow/subscriptions.js";
import { sendWebhooks, type WebhookDelivery, type WebhookEvent } from "./workflow/webhooks.js";
import { CallbackLedger } from "./portal/callbacks.js";
import {
  changeLater,
  EnrollmentLedger,
  type NewEnrollment,
  propertiesOnEnd,
  propertiesOnEnroll,
  visibleProperties,
} from "./portal/enrollments.js";
import type { SimulatedList } from "./portal/lists.js";
import { PortalCalendar } from "./portal/calendar.js";
import { ContactProperties } from "./portal/contact-properties.js";
import { FlowRunner } from "./flows/flow-runner.js";
import { FlowStore } from "./flows/flow-store.js";
import { seededFlows } from "./flows/seeded-flows.js";
import type { ContactSeed, Seeder, SequenceSeed, UserSeed } from "./seeding.js";
import { makeTrouble, type Trouble } from "./portal/troubles.js";
import type {
  EnrollmentEnd,
  SimulatedContact,
  SimulatedEnrollment,
  SimulatedSequence,
  SimulatedUser,
} from "./portal/model.js";
import { known, PortalRecords } from "./portal/records.js";
import { drawMs } from "./world/random.js";
import { Traffic } from "./portal/traffic.js";

/** What a contact does with a sequence's emails, and the property that shows when it last did (docs/hubspot.md §7.1). */
export type Engagement = "opened" | "clicked" | "meeting";
const ENGAGEMENT_PROPERTIES: Readonly<Record<Engagement, string>> = {
  opened: "hs_sales_email_last_opened",
  clicked: "hs_sales_email_last_clicked",
  meeting: "engagements_last_meeting_booked",
};

export interface PortalTraits {
  readonly portalId: number;
  readonly name: string;
  readonly timeZone: string;
  readonly uiDomain: string;
  /** Scopes this account's tier cannot grant. */
  readonly unavailableScopes: readonly string[];
}

/** One HubSpot account: its records, its history, and its faults. */
export class SimulatedPortal extends PortalRecords {
  readonly portalId: number;
  readonly traits: PortalTraits;
  readonly enrollments = new EnrollmentLedger();
  readonly callbacks = new CallbackLedger();
  readonly traffic = new Traffic();
  readonly runs: WorkflowRun[] = [];
  readonly flows: FlowStore;
  readonly flowRunner: FlowRunner;
  /** Every entry of a contact into a workflow that the simulator runs, the oldest first. */
  readonly flowEntries: { readonly flowId: string; readonly contactId: string; readonly atMs: number }[] = [];
  readonly contactProperties = new ContactProperties();
  readonly webhooks: WebhookLine;
  readonly #world: World;
  readonly #calendar: PortalCalendar;
  #seeder: Seeder | undefined;

  constructor(world: World, traits: PortalTraits) {
    super();
    this.#world = world;
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
    const list = { listId, name, memberIds, objectTypeId, createdAtMs: this.#world.now() };
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

  /** What the API shows of a contact at this moment. */
  propertiesOf(contactId: string): Readonly<Record<string, string | null>> {
    return visibleProperties(this.contact(contactId), this.#world.now());
  }

  /** Ends a contact's running enrollment, as a reply, the last step or a colleague in the UI would. */
  endEnrollment(contactId: string, how: EnrollmentEnd, atMs = this.#world.now()): void {
    const enrollment = known(
      this.enrollments.activeOf(contactId),
      `running enrollment of contact ${contactId}`,
    );
    enrollment.ended = how;
    enrollment.updatedAtMs = atMs;
    this.#changeSequenceProperties(contactId, propertiesOnEnd(how, atMs), atMs);
    this.#world.signals.announce("ended", { portalId: this.portalId, contactId, how });
  }

  /** Puts a contact in a sequence as a colleague in the UI did `agoMs` ago: no API call, so none is counted. */
  enrollInUi(
    contactId: string,
    { sequenceId, agoMs = 0 }: { sequenceId?: string; agoMs?: number } = {},
  ): SimulatedEnrollment {
    const [first] = this.sequences.values();
    const sequence = known(
      sequenceId === undefined ? first : this.sequences.get(sequenceId),
      "sequence to be enrolled in",
    );
    const { userId, inboxAddress } = this.admin;
    return this.putInSequence({
      contactId,
      sequenceId: sequence.id,
      sequenceName: sequence.name,
      userId,
      senderEmail: inboxAddress,
      senderAliasAddress: undefined,
      toEmail: this.contact(contactId).properties["email"] ?? "",
      enrolledAtMs: this.#world.now() - agoMs,
    });
  }

  /** Puts a contact in a sequence; lookups and properties show it after their lags. */
  putInSequence(entry: Omit<NewEnrollment, "shownFromMs">): SimulatedEnrollment {
    const { settings, random } = this.#world;
    const shownFromMs = entry.enrolledAtMs + drawMs(random, settings.lookupLagMs);
    const enrollment = this.enrollments.add({ ...entry, shownFromMs });
    const lifetimeCount = this.enrollments.of(enrollment.contactId).length;
    const values = propertiesOnEnroll(enrollment, lifetimeCount);
    this.#changeSequenceProperties(enrollment.contactId, values, enrollment.enrolledAtMs);
    return enrollment;
  }

  #changeSequenceProperties(contactId: string, values: Record<string, string>, atMs: number): void {
    const nowMs = this.#world.now();
    const { settings, random } = this.#world;
    const lagMs = Math.max(0, atMs + drawMs(random, settings.propertyLagMs) - nowMs);
    changeLater(this.contact(contactId), values, { nowMs, lagMs });
    const propertyName = "hs_sequences_is_enrolled";
    const propertyValue = values[propertyName] ?? "";
    const subscriptionType = "object.propertyChange";
    this.webhooks.happens({ subscriptionType, objectId: contactId, propertyName, propertyValue }, lagMs);
  }

  /** Somebody writes a contact's properties: an app, a person, a workflow. They are seen at once; null empties one. No webhook: the app subscribes to none of what is written so. */
  writeProperties(contactId: string, values: Readonly<Record<string, string | null>>): void {
    const nowMs = this.#world.now();
    const contact = this.contact(contactId);
    Object.assign(contact.properties, values);
    contact.updatedAtMs = nowMs;
    this.flowRunner.propertiesChanged(contactId, Object.keys(values));
  }

  /** The contact opens or clicks an email of its sequence, or books a meeting: its properties show it after their lag. */
  recordEngagement(contactId: string, what: Engagement, atMs = this.#world.now()): void {
    const nowMs = this.#world.now();
    const { settings, random } = this.#world;
    const lagMs = Math.max(0, atMs + drawMs(random, settings.propertyLagMs) - nowMs);
    const at = new Date(atMs).toISOString();
    changeLater(this.contact(contactId), { [ENGAGEMENT_PROPERTIES[what]]: at }, { nowMs, lagMs });
  }

  deleteContact(contactId: string): void {
    this.contacts.delete(contactId);
    this.webhooks.happens({ subscriptionType: "contact.deletion", objectId: contactId });
  }

  /** HubSpot's privacy deletion: reported twice, as a deletion too (docs/hubspot.md §7.3). */
  erasePrivately(contactId: string): void {
    this.deleteContact(contactId);
    this.webhooks.happens({ subscriptionType: "contact.privacyDeletion", objectId: contactId });
  }

  /** Merges two contacts into a new one; the old ids lead to it. */
  mergeContacts(primaryId: string, otherId: string): SimulatedContact {
    const merged = this.addContact({ properties: this.contact(primaryId).properties });
    merged.pending = this.contact(primaryId).pending;
    this.enrollments.move(primaryId, merged.id);
    this.leadTo(merged, [primaryId, otherId]);
    this.webhooks.happens({
      subscriptionType: "contact.merge",
      objectId: merged.id,
      primaryObjectId: primaryId,
      mergedObjectIds: [otherId],
      newObjectId: merged.id,
    });
    return merged;
  }

  /** Deactivates a user: the owner is archived and nobody can send as them. */
  deactivateUser(userId: number): void {
    this.user(userId).active = false;
    this.ownerOfUser(userId).archived = true;
  }

  /** Removes the app as the customer would: refresh tokens die at once (docs/hubspot.md §2.5). */
  uninstall(): void {
    this.#world.grants.removePortal(this.portalId);
    this.#world.signals.announce("grant", { portalId: this.portalId, what: "uninstalled" });
  }

  /** The account loses scopes it had granted, as with a tier that does not have them. */
  withdrawScopes(scopes: readonly string[]): void {
    this.#world.grants.withdrawScopes(this.portalId, scopes);
  }

  /** Makes every access token issued so far count as expired. */
  expireAccessTokens(): void {
    this.#world.grants.expireAccessTokens(this.portalId);
  }

  /** A bearer token for the installed app, without the token endpoint: for probing the API by hand. */
  accessToken(scopes?: readonly string[]): string {
    const { grants, settings } = this.#world;
    const wanted = scopes ?? declaredScopes(settings);
    const grant = grants.create({ portalId: this.portalId, userId: this.admin.userId, scopes: wanted });
    return grants.issueAccessToken(grant).token;
  }

  /** Runs a workflow's contacts through an action; see {@link WorkflowRun} for what can be watched. */
  runAction(request: RunRequest): WorkflowRun {
    const run = new WorkflowRun(this.#world, this, request);
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
    return fetchOptions(this.#world, this, request);
  }

  /** Delivers webhook events in batches of at most 100, signed v1 and v3. */
  sendWebhooks(events: readonly WebhookEvent[], url: string): Promise<WebhookDelivery[]> {
    return sendWebhooks(this.#world, this, { events, url });
  }

  /** Calls a backend as `hubspot.fetch` in a UI extension does: identity in the query, signed v3. */
  hubspotFetch(url: string, request: SignedFetch = {}): Promise<{ status: number; body: string }> {
    return signedFetch(this.#world, this, { url, ...request });
  }
}
