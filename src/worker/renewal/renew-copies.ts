import type { FlowsState } from "#domain/flows/flow-state.js";
import { DirectoryKeeper, type DirectoryKeeperOptions, type KeptPortal } from "./sync-directory.js";
import { FlowKeeper } from "./sync-flows.js";

/** A portal, held by its owner for one turn, and the state its copies are in. */
export interface CopiedPortal extends KeptPortal {
  /** As the turn found it; undefined: the account is gone. */
  readonly flows: FlowsState | undefined;
  /** Whether contacts should get the requests that the workflows would take. */
  readonly areContactsFirst: () => Promise<boolean>;
}

/** What is renewed alongside a portal's work. */
export interface RunningRenewal {
  /** Resolves when the directory is current, or the turn ends. */
  readonly directory: Promise<void>;
  /** Whether anything is still being renewed. */
  readonly isUnderWay: () => boolean;
}

/** Keeps the copies of this process's portals current: the directory, and after it the workflows. */
export class CopyRenewals {
  readonly #directory: DirectoryKeeper;
  readonly #flows: FlowKeeper;

  constructor(options: DirectoryKeeperOptions) {
    this.#directory = new DirectoryKeeper(options);
    this.#flows = new FlowKeeper(options);
  }

  /** Continues or begins what the portal needs. Never fails. */
  begin({ flows, areContactsFirst, ...portal }: CopiedPortal): RunningRenewal {
    let isUnderWay = true;
    const directory = this.#directory.keep(portal);
    // After the directory: contacts wait for that, but nobody waits for the names of workflows.
    void directory
      .then(areContactsFirst)
      .then((isPutOff) => (isPutOff ? undefined : this.#flows.keep({ ...portal, state: flows })))
      .finally(() => (isUnderWay = false));
    return { directory, isUnderWay: () => isUnderWay };
  }
}
