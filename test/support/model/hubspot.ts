import {
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  GrantRevoked,
} from "#platform/hubspot/errors.js";
import type { Completion, CurrentEnrollment, PortalGateway } from "#platform/hubspot/gateway.js";
import type {
  AttemptAnswers,
  BlockAnswer,
  CompleteAnswer,
  CompleteAnswers,
  EnrollAnswer,
  ReadAnswer,
} from "./answers.js";

/** The longest a `late` answer is on its way, in seconds. */
const LATE_SECONDS = 60;
/** A contact's properties show an enrollment this long after it began. */
const TRAIL_SECONDS = 60;

/** What HubSpot's documents leave open, as the simulator's presets have it. */
export interface ModelWorld {
  /** Whether the lookup answers "none" after a sequence has ended; otherwise with the latest enrollment. */
  readonly hidesEnded: boolean;
  /** The lookup shows an enrollment this long after it began. */
  readonly lookupTrailsSeconds: number;
}

export const UNKIND: ModelWorld = { hidesEnded: true, lookupTrailsSeconds: 3 };
export const KIND: ModelWorld = { hidesEnded: false, lookupTrailsSeconds: 0 };

/** `ending`: each enrollment of it is over at once, so that a second request would enroll it once more. */
export type ContactKind = "plain" | "ending" | "unsubscribed" | "enrolledBefore";

/** The worker is gone: nothing after this happens in it. */
export class Crash extends Error {}

/** The app itself fails on an execution, and lives on. */
export class OwnFault extends Error {}

export const SEQUENCE = "300000001";

interface ModelEnrollment {
  readonly id: string;
  readonly enrolledAt: Date;
  isActive: boolean;
  /** Until the lookup shows it. */
  secondsUntilShown: number;
  /** Until the contact's properties show it. */
  secondsUntilTold: number;
  /** The callback whose request made it; undefined: a person did. */
  readonly by: string | undefined;
}

interface ModelContact {
  kind: ContactKind;
  readonly enrollments: ModelEnrollment[];
}

export interface ModelCallback {
  readonly id: string;
  readonly contactId: string;
  /** HubSpot has our BLOCK and waits for the completion. */
  isHeld: boolean;
  /** Completions it took. More than one would be HubSpot's contact going on twice. */
  readonly taken: Record<string, string>[];
  /** We know the answer to the last completion we sent: sending another is wrong, unless it is delivered again. */
  isSettled: boolean;
  /** Completions it was not held for. */
  refusals: number;
  /** A late request of this callback took effect. */
  hasLanded: boolean;
  /** After that, HubSpot told us that the contact is enrolled. */
  isTold: boolean;
}

const refusal = (httpStatus: number, code: string): HubSpotRejected =>
  new HubSpotRejected({ httpStatus, message: code.toLowerCase(), codes: [code] });

/** Of every contact, as the calls carry them. */
export const CONTACT_PROPERTIES = { email: "c@d.e", hubspot_owner_id: "7" };

/** HubSpot as one portal sees it, in memory: what it holds, whom it enrolled, and what was done to it that may not be. */
export class ModelHubSpot {
  readonly contacts = new Map<string, ModelContact>();
  readonly callbacks = new Map<string, ModelCallback>();
  readonly violations: string[] = [];
  isConnected = true;
  readonly #world: ModelWorld;
  readonly #late: ModelCallback[] = [];
  #lateAnswers: { readonly callback: ModelCallback; secondsLeft: number }[] = [];
  #nextId = 60_000_000;

  constructor(world: ModelWorld) {
    this.#world = world;
  }

  addContact(contactId: string, kind: ContactKind): void {
    const enrolledAt = new Date(Date.now() - 3_600_000);
    const before = {
      id: "1",
      enrolledAt,
      isActive: true,
      by: undefined,
      secondsUntilShown: 0,
      secondsUntilTold: 0,
    };
    this.contacts.set(contactId, { kind, enrollments: kind === "enrolledBefore" ? [before] : [] });
  }

  addCallback(id: string, contactId: string): ModelCallback {
    const callback = {
      id,
      contactId,
      isHeld: false,
      taken: [],
      refusals: 0,
      isSettled: false,
      hasLanded: false,
      isTold: false,
    };
    this.callbacks.set(id, callback);
    return callback;
  }

  contactOf(callback: ModelCallback): ModelContact {
    return this.contacts.get(callback.contactId) as ModelContact;
  }

  enrollmentsBy(callback: ModelCallback): number {
    return this.contactOf(callback).enrollments.filter(({ by }) => by === callback.id).length;
  }

  /** We answered a delivery of the call. A completion that comes before HubSpot has read that is refused. */
  answered(callback: ModelCallback, answer: BlockAnswer): void {
    callback.isSettled = false;
    if (answer === "read") callback.isHeld = true;
    if (answer === "late") this.#lateAnswers.push({ callback, secondsLeft: LATE_SECONDS });
  }

  passSeconds(seconds: number): void {
    for (const enrollment of [...this.contacts.values()].flatMap(({ enrollments }) => enrollments)) {
      enrollment.secondsUntilShown -= seconds;
      enrollment.secondsUntilTold -= seconds;
    }
    this.#lateAnswers.forEach((answer) => (answer.secondsLeft -= seconds));
    // What was completed meanwhile, because another delivery was answered, is not held again.
    for (const { callback, secondsLeft } of this.#lateAnswers)
      if (secondsLeft <= 0 && callback.taken.length === 0) callback.isHeld = true;
    this.#lateAnswers = this.#lateAnswers.filter(({ secondsLeft }) => secondsLeft > 0);
  }

  /** Requests whose senders gave up arrive. */
  landLate(): void {
    for (const callback of this.#late.splice(0)) {
      try {
        this.#write(callback);
        callback.hasLanded = true;
      } catch {
        // Refused, with nobody left to be told.
      }
    }
  }

  /**
   * Ends a contact's enrollment, as replies and bounces do. Not in the window that docs/reliability.md leaves open: a
   * late request that we could not know of when the next one was sent.
   */
  endEnrollments(contactId: string): void {
    const touching = [...this.callbacks.values()].filter((callback) => callback.contactId === contactId);
    if (touching.some((callback) => this.#late.includes(callback))) return;
    if (touching.some(({ hasLanded, isTold }) => hasLanded && !isTold)) return;
    this.contacts.get(contactId)?.enrollments.forEach((enrollment) => {
      enrollment.isActive = false;
    });
  }

  #write(callback: ModelCallback): ModelEnrollment {
    const contact = this.contactOf(callback);
    if (contact.kind === "unsubscribed") throw refusal(400, "CONTACT_UNSUBSCRIBED");
    if (contact.enrollments.some(({ isActive }) => isActive)) throw refusal(400, "CONTACT_ALREADY_ENROLLED");
    const id = String((this.#nextId += 1));
    const made = {
      id,
      enrolledAt: new Date(),
      isActive: contact.kind !== "ending",
      by: callback.id,
      secondsUntilShown: this.#world.lookupTrailsSeconds,
      secondsUntilTold: TRAIL_SECONDS,
    };
    contact.enrollments.push(made);
    return made;
  }

  #writeAndTell(callback: ModelCallback): ModelEnrollment {
    try {
      return this.#write(callback);
    } catch (error) {
      if (callback.hasLanded) callback.isTold = true;
      throw error;
    }
  }

  #assertConnected(): void {
    if (!this.isConnected) throw new GrantRevoked("the grant is gone");
  }

  /** HubSpot for the one execution of `callbackId`: its requests are told apart by whom they are for. */
  forAttempt(
    callbackId: string,
    answers: AttemptAnswers,
  ): Pick<PortalGateway, "enroll" | "readEnrollment" | "readContact" | "readContacts"> {
    const callback = this.callbacks.get(callbackId) as ModelCallback;
    return {
      enroll: async () => {
        await Promise.resolve();
        this.#assertConnected();
        return this.#enroll(callback, answers.enroll);
      },
      readEnrollment: async () => {
        await Promise.resolve();
        this.#assertConnected();
        return this.#read(callback, answers.read);
      },
      readContacts: async (contactIds) => {
        await Promise.resolve();
        this.#assertConnected();
        return new Map(contactIds.map((contactId) => [contactId, CONTACT_PROPERTIES]));
      },
      readContact: async () => {
        await Promise.resolve();
        this.#assertConnected();
        return this.#properties(callback);
      },
    };
  }

  #enroll(callback: ModelCallback, answer: EnrollAnswer): { id: string; enrolledAt: Date; toEmail: null } {
    if (answer === "throttled") throw new HubSpotThrottled("too many", { policyName: "SECONDLY" });
    if (answer === "notSent") throw new HubSpotUnavailable("refused", { wasNotSent: true });
    if (answer === "lostBefore") throw new HubSpotUnavailable("reset");
    if (answer === "crashBefore") throw new Crash();
    if (answer === "faultBefore") throw new OwnFault();
    if (answer === "late") {
      const contact = this.contactOf(callback);
      if (contact.kind === "ending") contact.kind = "plain";
      this.#late.push(callback);
      throw new HubSpotUnavailable("timed out");
    }
    const made = this.#writeAndTell(callback);
    if (answer === "lostAfter") throw new HubSpotUnavailable("reset");
    if (answer === "crashAfter") throw new Crash();
    if (answer === "faultAfter") throw new OwnFault();
    return { id: made.id, enrolledAt: made.enrolledAt, toEmail: null };
  }

  #read(callback: ModelCallback, answer: ReadAnswer): CurrentEnrollment | undefined {
    if (answer === "unavailable") throw new HubSpotUnavailable("503");
    if (answer === "throttled") throw new HubSpotThrottled("too many", { policyName: "SECONDLY" });
    if (answer === "forbidden") throw refusal(403, "FORBIDDEN");
    if (answer === "crashBefore") throw new Crash();
    if (answer === "faultBefore") throw new OwnFault();
    const latest = this.contactOf(callback).enrollments.findLast(
      ({ secondsUntilShown }) => secondsUntilShown <= 0,
    );
    if (latest === undefined || (this.#world.hidesEnded && !latest.isActive)) return undefined;
    const { id, enrolledAt, by } = latest;
    if (callback.hasLanded && by === callback.id) callback.isTold = true;
    return {
      id,
      enrolledAt,
      sequenceId: SEQUENCE,
      sequenceName: null,
      enrolledBy: "7",
      enrolledByEmail: "a@b.c",
      toEmail: "c@d.e",
    };
  }

  /** What the contact's properties tell: as of some time ago. */
  #properties(callback: ModelCallback): Record<string, string | null> {
    const told = this.contactOf(callback).enrollments.filter(({ secondsUntilTold }) => secondsUntilTold <= 0);
    const latest = told.at(-1);
    if (callback.hasLanded && latest?.by === callback.id) callback.isTold = true;
    return {
      hs_sequences_is_enrolled: String(latest?.isActive ?? false),
      hs_sequences_enrolled_count: String(told.length),
      hs_latest_sequence_enrolled: latest === undefined ? null : SEQUENCE,
      hs_latest_sequence_enrolled_date: latest?.enrolledAt.toISOString() ?? null,
    };
  }

  /** HubSpot for completions. `onAnswered` runs while the answer to a single one is on its way. */
  forCompletions(
    answers: CompleteAnswers,
    onAnswered: () => Promise<void>,
  ): Pick<PortalGateway, "completeBatch" | "completeOne"> {
    return {
      completeBatch: async (completions) => {
        await this.#complete(completions, answers.batch, () => Promise.resolve());
        return {
          taken: new Set(completions.map(({ callbackId }) => callbackId)),
          refused: new Map(),
          hasUnnamedErrors: false,
        };
      },
      completeOne: (completion) => this.#complete([completion], answers.single, onAnswered),
    };
  }

  async #complete(
    completions: readonly Completion[],
    answer: CompleteAnswer,
    onAnswered: () => Promise<void>,
  ): Promise<void> {
    this.#assertConnected();
    if (answer === "throttled") throw new HubSpotThrottled("too many", { policyName: "SECONDLY" });
    if (answer === "lostBefore") throw new HubSpotUnavailable("reset");
    if (answer === "crashBefore") throw new Crash();
    if (typeof answer === "number") throw refusal(answer, "REQUEST_REFUSED");
    const named = completions.map(({ callbackId }) => this.callbacks.get(callbackId) as ModelCallback);
    for (const { id, isSettled } of named)
      if (isSettled)
        this.violations.push(`the completion of ${id} was sent again though its answer was known`);
    const strangers = named.filter(({ isHeld }) => !isHeld);
    strangers.forEach((callback) => (callback.refusals += 1));
    const isRefused = strangers.length > 0;
    if (!isRefused) named.forEach((callback, index) => this.#take(callback, completions[index]));
    await onAnswered();
    if (answer === "crashAfter") throw new Crash();
    if (answer === "lostAfter") throw new HubSpotUnavailable("reset");
    if (isRefused) throw refusal(completions.length > 1 ? 400 : 404, "CALLBACK_NOT_FOUND");
  }

  #take(callback: ModelCallback, completion: Completion | undefined): void {
    callback.isHeld = false;
    callback.taken.push({ ...completion?.outputFields });
  }
}
