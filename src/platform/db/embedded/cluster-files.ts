import type { ServerAccount } from "./server-account.js";
import type { ServerBinaries } from "./server-binaries.js";

/** The files of one embedded database. */
export interface Cluster {
  /** Folder with everything the server's account must reach. */
  readonly home: string;
  readonly dataDirectory: string;
  readonly account: ServerAccount | undefined;
  readonly password: string;
  readonly binaries: ServerBinaries;
}
