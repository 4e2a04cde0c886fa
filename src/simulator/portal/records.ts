import type { SimulatedList } from "./lists.js";
import type { SimulatedContact, SimulatedOwner, SimulatedSequence, SimulatedUser } from "./model.js";

/** Who and what a portal has, by id. */
export class PortalRecords {
  readonly users = new Map<number, SimulatedUser>();
  readonly owners = new Map<string, SimulatedOwner>();
  readonly sequences = new Map<string, SimulatedSequence>();
  readonly contacts = new Map<string, SimulatedContact>();
  readonly lists = new Map<string, SimulatedList>();
  /** Contacts that were merged, by their old id. */
  readonly #mergedInto = new Map<string, string>();

  /** @throws RangeError for an id the portal does not have: a mistake in the test, not a case to handle. */
  user(userId: number): SimulatedUser {
    return known(this.users.get(userId), `user ${userId}`);
  }

  contact(contactId: string): SimulatedContact {
    return known(this.contacts.get(contactId), `contact ${contactId}`);
  }

  ownerOfUser(userId: number): SimulatedOwner {
    return known(
      [...this.owners.values()].find((owner) => owner.userId === userId),
      `owner of user ${userId}`,
    );
  }

  /** A user who may install the app and send; the natural choice if a test does not care. */
  get admin(): SimulatedUser {
    return known(
      [...this.users.values()].find((user) => user.superAdmin),
      "super admin",
    );
  }

  /** Users who can enroll right now: active, permitted, with a connected inbox. */
  get senders(): SimulatedUser[] {
    return [...this.users.values()].filter(
      (user) => user.active && user.hasSequencesPermission && user.hasConnectedInbox,
    );
  }

  /** The record of an id, which is another one after a merge. */
  find(contactId: string): SimulatedContact | undefined {
    const into = this.#mergedInto.get(contactId);
    return into === undefined ? this.contacts.get(contactId) : this.find(into);
  }

  /** The old ids lead to the contact that they were merged into. */
  protected leadTo(merged: SimulatedContact, oldIds: readonly string[]): void {
    for (const id of oldIds) {
      this.contacts.delete(id);
      this.#mergedInto.set(id, merged.id);
    }
  }
}

/** @throws RangeError if there is no value: a mistake in the test, not a case to handle. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`The simulated portal has no ${what}`);
  return value;
}
