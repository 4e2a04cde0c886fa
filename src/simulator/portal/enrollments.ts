import type { SimulatedContact, SimulatedEnrollment, EnrollmentEnd } from "./model.js";

/** What the safety checks count, per contact: every enroll POST that arrived, and its result. */
interface EnrollFacts {
  /** POSTs that named this contact, whatever the outcome. */
  posts: number;
  accepted: number;
  /** POSTs for a contact that was already in a sequence: the caller lost track. */
  whileActive: number;
}

export type NewEnrollment = Omit<SimulatedEnrollment, "id" | "updatedAtMs" | "ended">;

/** All enrollments of a portal, the newest of each contact last. */
export class EnrollmentLedger {
  readonly #byContact = new Map<string, SimulatedEnrollment[]>();
  readonly #facts = new Map<string, EnrollFacts>();
  readonly #sentToday = new Map<string, number>();
  #nextId = 60_000_001;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  all(): SimulatedEnrollment[] {
    return [...this.#byContact.values()].flat();
  }

  of(contactId: string): readonly SimulatedEnrollment[] {
    return this.#byContact.get(contactId) ?? [];
  }

  latestOf(contactId: string): SimulatedEnrollment | undefined {
    return this.#byContact.get(contactId)?.at(-1);
  }

  activeOf(contactId: string): SimulatedEnrollment | undefined {
    const latest = this.latestOf(contactId);
    return latest?.ended === undefined ? latest : undefined;
  }

  /** What a lookup shows: the latest enrollment that it has caught up with. */
  latestShown(contactId: string, nowMs: number): SimulatedEnrollment | undefined {
    return this.#byContact.get(contactId)?.findLast(({ shownFromMs }) => shownFromMs <= nowMs);
  }

  /** A merge: one contact's enrollments become the other's. */
  move(fromContactId: string, toContactId: string): void {
    const moved = this.#byContact.get(fromContactId);
    if (moved === undefined) return;
    this.#byContact.delete(fromContactId);
    this.#byContact.set(toContactId, moved);
  }

  factsOf(contactId: string): EnrollFacts {
    let facts = this.#facts.get(contactId);
    if (facts === undefined) {
      facts = { posts: 0, accepted: 0, whileActive: 0 };
      this.#facts.set(contactId, facts);
    }
    return facts;
  }

  facts(): Record<string, EnrollFacts> {
    return Object.fromEntries(this.#facts);
  }

  /** Enrollments accepted for an inbox on a day (`YYYY-MM-DD` of the portal's own time zone). */
  sentOn(day: string, inbox: string): number {
    return this.#sentToday.get(`${day} ${inbox}`) ?? 0;
  }

  countSent(day: string, inbox: string): void {
    this.#sentToday.set(`${day} ${inbox}`, this.sentOn(day, inbox) + 1);
  }

  add(entry: NewEnrollment): SimulatedEnrollment {
    const enrollment: SimulatedEnrollment = {
      ...entry,
      id: String(this.#nextId++),
      updatedAtMs: entry.enrolledAtMs,
      ended: undefined,
    };
    const earlier = this.#byContact.get(entry.contactId);
    if (earlier === undefined) this.#byContact.set(entry.contactId, [enrollment]);
    else earlier.push(enrollment);
    this.#total += 1;
    return enrollment;
  }
}

/** The `hs_sequences_*` values after an enrollment began (docs/hubspot.md §7.1). */
export function propertiesOnEnroll(
  enrollment: SimulatedEnrollment,
  lifetimeCount: number,
): Record<string, string> {
  return {
    hs_sequences_is_enrolled: "true",
    hs_sequences_actively_enrolled_count: "1",
    hs_sequences_enrolled_count: String(lifetimeCount),
    hs_latest_sequence_enrolled: enrollment.sequenceId,
    hs_latest_sequence_enrolled_date: new Date(enrollment.enrolledAtMs).toISOString(),
  };
}

/** The same after it ended. */
export function propertiesOnEnd(how: EnrollmentEnd, nowMs: number): Record<string, string> {
  const at = new Date(nowMs).toISOString();
  return {
    hs_sequences_is_enrolled: "false",
    hs_sequences_actively_enrolled_count: "0",
    hs_latest_sequence_ended_date: at,
    ...(how === "finished"
      ? { hs_latest_sequence_finished_date: at }
      : { hs_latest_sequence_unenrolled_date: at }),
    ...(how === "replied" ? { hs_sales_email_last_replied: at } : {}),
  };
}

/** Writes property values that become visible after `lagMs`. */
export function changeLater(
  contact: SimulatedContact,
  values: Record<string, string | null>,
  { nowMs, lagMs }: { nowMs: number; lagMs: number },
): void {
  if (lagMs <= 0 && contact.pending.length === 0) Object.assign(contact.properties, values);
  else contact.pending.push({ visibleAtMs: nowMs + lagMs, values });
  contact.updatedAtMs = nowMs;
}

/** The properties a reader sees at `nowMs`. */
export function visibleProperties(
  contact: SimulatedContact,
  nowMs: number,
): Readonly<Record<string, string | null>> {
  // In order: with random lags a later change may be due before an earlier one, and must not be overwritten by it.
  while (contact.pending[0] !== undefined && contact.pending[0].visibleAtMs <= nowMs) {
    Object.assign(contact.properties, contact.pending.shift()?.values);
  }
  return contact.properties;
}
