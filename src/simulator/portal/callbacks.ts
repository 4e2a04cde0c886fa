/** One completion as it arrived. */
export interface Completion {
  /** By the machine's clock. */
  readonly receivedAtMs: number;
  /** Size of its batch; 1 for the single endpoint. */
  readonly batchSize: number;
  readonly outputFields: Readonly<Record<string, string>>;
  readonly hasTypedOutputs: boolean;
  /** As the app sent it; undefined if it sent none. */
  readonly requestContext: unknown;
}

/** A callback HubSpot is waiting for, with every completion that came, wanted or not. */
export interface CallbackRecord {
  readonly callbackId: string;
  /** The one that counted; undefined while the execution is held. */
  accepted: Completion | undefined;
  /** Every completion that reached the endpoint, refused repeats included. */
  readonly received: Completion[];
  /** When HubSpot stops holding it; undefined until the app has answered BLOCK. */
  expiresAtMs: number | undefined;
  /** Called with the completion that counted. */
  readonly onCompleted: (completion: Completion) => void;
}

export type CompletionOutcome = "accepted" | "unknown" | "repeated" | "expired";

/** The callbacks of one portal. */
export class CallbackLedger {
  readonly #records = new Map<string, CallbackRecord>();
  /** Completions of ids nobody registered, kept for the checks. */
  readonly strangers = new Map<string, Completion[]>();
  #acceptedCount = 0;

  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** Makes an id known, as the start of an execution does. */
  expect(
    callbackId: string,
    onCompleted: (completion: Completion) => void = () => undefined,
  ): CallbackRecord {
    const record: CallbackRecord = {
      callbackId,
      accepted: undefined,
      received: [],
      expiresAtMs: undefined,
      onCompleted,
    };
    this.#records.set(callbackId, record);
    return record;
  }

  get(callbackId: string): CallbackRecord | undefined {
    return this.#records.get(callbackId);
  }

  all(): CallbackRecord[] {
    return [...this.#records.values()];
  }

  /** The result of completing this id now; changes nothing. */
  judge(callbackId: string, nowMs: number): CompletionOutcome {
    const record = this.#records.get(callbackId);
    if (record === undefined) return "unknown";
    if (record.accepted !== undefined) return "repeated";
    return record.expiresAtMs !== undefined && record.expiresAtMs <= nowMs ? "expired" : "accepted";
  }

  /** Records that a completion arrived, whatever its result. */
  note(callbackId: string, completion: Completion): void {
    const record = this.#records.get(callbackId);
    if (record !== undefined) record.received.push(completion);
    else this.strangers.set(callbackId, [...(this.strangers.get(callbackId) ?? []), completion]);
  }

  accept(callbackId: string, completion: Completion): void {
    const record = this.#records.get(callbackId);
    if (record === undefined) return;
    record.accepted = completion;
    this.#acceptedCount += 1;
    record.onCompleted(completion);
  }
}
