import type { PortalId } from "#platform/ids/branded-ids.js";

/** Work on portals, done one piece after the other for each portal. */
export class InTurn {
  readonly #running = new Map<PortalId, Promise<void>>();

  /** Begins the work once the portal's earlier work has ended. The work must not fail. */
  run(portalId: PortalId, work: () => Promise<void>): Promise<void> {
    const before = this.#running.get(portalId) ?? Promise.resolve();
    const running = before.then(work).finally(() => {
      if (this.#running.get(portalId) === running) this.#running.delete(portalId);
    });
    this.#running.set(portalId, running);
    return running;
  }
}
