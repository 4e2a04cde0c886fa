import { EventEmitter } from "node:events";

/** What happens inside the simulator, for tests and progress displays. */
interface SignalMap {
  /** An API or token request was answered (status 0: its connection was cut instead). */
  request: [{ portalId: number | undefined; endpoint: string; status: number }];
  fault: [{ portalId: number | undefined; endpoint: string; fault: string }];
  enrolled: [{ portalId: number; contactId: string; sequenceId: string }];
  ended: [{ portalId: number; contactId: string; how: string }];
  completed: [{ portalId: number; callbackId: string; count: number }];
  /** An execution of a simulated workflow reached a new state. */
  execution: [{ portalId: number; callbackId: string; state: string }];
  /** A contact has been through a step of a workflow that the simulator runs. */
  flowStep: [{ portalId: number; flowId: string; contactId: string; actionId: string }];
  /** A delivery of webhooks was answered (status 0: not at all). */
  webhook: [{ portalId: number; events: number; status: number }];
  /** A grant was made, refreshed, revoked or removed. */
  grant: [{ portalId: number; what: "authorized" | "refreshed" | "revoked" | "uninstalled" }];
}

interface Waiter {
  readonly check: () => void;
  readonly abandon: (reason: Error) => void;
}

/** Events of the simulator, plus waiting for a state instead of for a time. */
export class Signals extends EventEmitter<SignalMap> {
  readonly #waiters = new Set<Waiter>();

  /** Tells listeners and waiters. Listeners run before the answer leaves, so a test never sees an answer too early. */
  announce<Name extends keyof SignalMap>(name: Name, detail: SignalMap[Name][0]): void {
    // The conditional tuple type of EventEmitter cannot be followed through a generic name.
    (this as EventEmitter).emit(name, detail);
    for (const waiter of this.#waiters) waiter.check();
  }

  /**
   * Resolves as soon as `holds` is true; looked at now and after every event.
   *
   * @throws Error naming `what` after `timeoutMs` (default one minute), or when the simulator closes first.
   */
  waitFor(holds: () => boolean, { timeoutMs = 60_000, what = "the awaited state" } = {}): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        check: () => {
          if (!holds()) return;
          leave();
          resolve();
        },
        abandon: (reason) => {
          leave();
          reject(reason);
        },
      };
      const timer = setTimeout(() => {
        waiter.abandon(new Error(`Waited ${timeoutMs} ms in vain for ${what}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  abandonAll(): void {
    for (const waiter of this.#waiters)
      waiter.abandon(new Error("The simulator was closed while somebody waited on it"));
  }
}
