import type { PortalId } from "#platform/ids/branded-ids.js";

/** Work on portals, of which each portal's is done one piece after the other. */
export class InTurn {
  readonly #running = new Map<PortalId, Promise<void>>();

  /** Begins the work once what was given for the portal before has ended. The work must not fail. */
  run(portalId: PortalId, work: () => Promise<void>): Promise<void> {
    const before = this.#running.get(portalId) ?? Promise.resolve();
    const running = before.then(work).finally(() => {
      if (this.#running.get(portalId) === running) this.#running.delete(portalId);
    });
    this.#running.set(portalId, running);
    return running;
  }
}
