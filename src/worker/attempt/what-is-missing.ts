import { failed, type Outcome, type Sender } from "#domain/contract/outcome.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { EnrollContext } from "./enroll-context.js";

/** Whether HubSpot has the contact; "not-told": it does not let the app read contacts. */
async function askForContact(
  contactId: string,
  { gateway }: Pick<EnrollContext, "gateway">,
): Promise<"there" | "gone" | "not-told"> {
  try {
    return (await gateway.readContact(contactId, ["email"])) === undefined ? "gone" : "there";
  } catch (error) {
    if (error instanceof HubSpotRejected) return "not-told";
    throw error;
  }
}

/**
 * What a 404 without a message on an enrollment means. The contact is read, and our copy of the sequences; not the
 * sequence itself: HubSpot documents that route for user-level apps only.
 *
 * @throws HubSpotUnavailable if the contact cannot be read now: nothing was enrolled.
 */
export async function whatIsMissing(
  execution: Pick<ClaimedExecution, "contactId" | "sequenceId">,
  context: Pick<EnrollContext, "gateway" | "directory" | "portalId">,
  { sender, message }: { sender: Sender; message: string },
): Promise<Outcome> {
  const contact = await askForContact(execution.contactId, context);
  if (contact === "gone") return failed("CONTACT_NOT_FOUND", { sender });
  if (contact === "there") return failed("SEQUENCE_NOT_FOUND", { sender });
  const isListed = await context.directory.isSequenceListed(context.portalId, execution.sequenceId);
  if (!isListed) return failed("SEQUENCE_NOT_FOUND", { sender });
  return failed("HUBSPOT_REJECTED", { sender, detail: `HubSpot said: ${message}` });
}
