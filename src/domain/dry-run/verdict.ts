import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { Explained } from "#domain/senders/explanation.js";

/** What would happen to a contact, without who it is. */
export type Verdict = Pick<Explained, "checks" | "choice" | "decision" | "sentence"> & { code?: ErrorCode };
