import { readCall, toIncoming, type ParsedCall } from "./call-envelope.js";

/** Reads the bytes of a verified call of the unenroll action; it has no inputs. */
export function parseUnenrollCall(body: Buffer): ParsedCall {
  return readCall(body, (call) => ({ kind: "valid", execution: toIncoming(call, "UNENROLL") }));
}
