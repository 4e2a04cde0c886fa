import type { FlowRunner } from "../flows/flow-runner.js";
import type { ContactSeed } from "../seeding.js";
import type { WebhookLine } from "../workflow/subscriptions.js";
import { drawMs } from "../world/random.js";
import type { World } from "../world/world.js";
import {
  changeLater,
  EnrollmentLedger,
  type NewEnrollment,
  propertiesOnEnd,
  propertiesOnEnroll,
  visibleProperties,
} from "./enrollments.js";
import type { EnrollmentEnd, SimulatedContact, SimulatedEnrollment } from "./model.js";
import { known, PortalRecords } from "./records.js";

/** What a contact does with a sequence's emails, and the property that shows when it last did (docs/hubspot.md §7.1). */
export type Engagement = "opened" | "clicked" | "meeting";
const ENGAGEMENT_PROPERTIES: Readonly<Record<Engagement, string>> = {
  opened: "hs_sales_email_last_opened",
  clicked: "hs_sales_email_last_clicked",
  meeting: "engagements_last_meeting_booked",
};

/** What happens to a portal's contacts: they enter and leave sequences, change, merge and go. */
export abstract class PortalContacts extends PortalRecords {
  abstract readonly portalId: number;
  abstract readonly webhooks: WebhookLine;
  abstract readonly flowRunner: FlowRunner;
  readonly enrollments = new EnrollmentLedger();
  protected readonly world: World;

  constructor(world: World) {
    super();
    this.world = world;
  }

  abstract addContact(seed?: ContactSeed): SimulatedContact;

  /** What the API shows of a contact at this moment. */
  propertiesOf(contactId: string): Readonly<Record<string, string | null>> {
    return visibleProperties(this.contact(contactId), this.world.now());
  }

  /** Ends a contact's running enrollment, as a reply, the last step or a colleague in the UI would. */
  endEnrollment(contactId: string, how: EnrollmentEnd, atMs = this.world.now()): void {
    const enrollment = known(
      this.enrollments.activeOf(contactId),
      `running enrollment of contact ${contactId}`,
    );
    enrollment.ended = how;
    enrollment.updatedAtMs = atMs;
    this.#changeSequenceProperties(contactId, propertiesOnEnd(how, atMs), atMs);
    this.world.signals.announce("ended", { portalId: this.portalId, contactId, how });
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
      enrolledAtMs: this.world.now() - agoMs,
    });
  }

  /** Puts a contact in a sequence; lookups and properties show it after their lags. */
  putInSequence(entry: Omit<NewEnrollment, "shownFromMs">): SimulatedEnrollment {
    const { settings, random } = this.world;
    const shownFromMs = entry.enrolledAtMs + drawMs(random, settings.lookupLagMs);
    const enrollment = this.enrollments.add({ ...entry, shownFromMs });
    const lifetimeCount = this.enrollments.of(enrollment.contactId).length;
    const values = propertiesOnEnroll(enrollment, lifetimeCount);
    this.#changeSequenceProperties(enrollment.contactId, values, enrollment.enrolledAtMs);
    return enrollment;
  }

  #changeSequenceProperties(contactId: string, values: Record<string, string>, atMs: number): void {
    const nowMs = this.world.now();
    const { settings, random } = this.world;
    const lagMs = Math.max(0, atMs + drawMs(random, settings.propertyLagMs) - nowMs);
    changeLater(this.contact(contactId), values, { nowMs, lagMs });
    const propertyName = "hs_sequences_is_enrolled";
    const propertyValue = values[propertyName] ?? "";
    const subscriptionType = "object.propertyChange";
    this.webhooks.happens({ subscriptionType, objectId: contactId, propertyName, propertyValue }, lagMs);
  }

  /**
   * An app, a person or a workflow writes a contact's properties. They are visible at once; null clears one. No webhook
   * is sent: the app subscribes to none of the properties that are written like this.
   */
  writeProperties(contactId: string, values: Readonly<Record<string, string | null>>): void {
    const nowMs = this.world.now();
    const contact = this.contact(contactId);
    Object.assign(contact.properties, values);
    contact.updatedAtMs = nowMs;
    this.flowRunner.propertiesChanged(contactId, Object.keys(values));
  }

  /** The contact opens or clicks an email of its sequence, or books a meeting: its properties show it after their lag. */
  recordEngagement(contactId: string, what: Engagement, atMs = this.world.now()): void {
    const nowMs = this.world.now();
    const { settings, random } = this.world;
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
}
