import { hasEnded, readSequenceFacts } from "#domain/contract/sequence-facts.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import type { Directory } from "#domain/directory/directory.js";
import type { CurrentEnrollment, PortalGateway } from "#platform/hubspot/gateway.js";
import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Where a contact is enrolled now, according to HubSpot. */
export interface RunningEnrollment {
  readonly sequence: { readonly id: string; readonly name: string | null };
  readonly enrolledAt: Date | undefined;
  /** The sender's address; if it is not known, the id of the user. */
  readonly enrolledBy: string | null;
  /** The contact's address that the sequence writes to. */
  readonly email: string | null;
}

/** Whom to ask. */
export interface EnrollmentSources {
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  /** HubSpot's clock; undefined: not known. */
  readonly now: () => Date | undefined;
}

/**
 * Asks HubSpot, with two requests, where a contact is enrolled now. Undefined: nowhere.
 *
 * @throws HubSpot's faults.
 */
export async function findRunningEnrollment(
  sources: EnrollmentSources,
  portalId: PortalId,
  contactId: string,
): Promise<RunningEnrollment | undefined | "unknown-contact"> {
  const { gateway, now } = sources;
  const enrollment = await gateway.readEnrollment(contactId);
  const properties = await gateway.readContact(contactId, SEQUENCE_PROPERTIES);
  if (properties === undefined) return "unknown-contact";
  if (enrollment === undefined || hasEnded(enrollment, readSequenceFacts(properties, now())))
    return undefined;
  return describe(enrollment, sources, portalId);
}

async function describe(
  enrollment: CurrentEnrollment,
  sources: EnrollmentSources,
  portalId: PortalId,
): Promise<RunningEnrollment> {
  const { sequenceId: id, sequenceName, enrolledAt, toEmail: email } = enrollment;
  const name = sequenceName ?? (await sources.directory.sequenceName(portalId, id)) ?? null;
  return {
    sequence: { id, name },
    enrolledAt: readHubSpotDate(enrolledAt?.getTime(), sources.now()),
    enrolledBy: await enrolledBy(enrollment, sources.directory, portalId),
    email,
  };
}

async function enrolledBy(
  { enrolledBy: userId, enrolledByEmail }: CurrentEnrollment,
  directory: Directory,
  portalId: PortalId,
): Promise<string | null> {
  if (enrolledByEmail !== null) return enrolledByEmail;
  if (userId == null || !/^\d{1,18}$/.test(userId)) return userId ?? null;
  return (await directory.activeUserEmails(portalId, [BigInt(userId)])).get(BigInt(userId)) ?? userId;
}
