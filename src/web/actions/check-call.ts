import { readCall, toIncoming, type ParsedCall } from "./call-envelope.js";

/** Reads the bytes of a verified call of the check action; it has no inputs. */
export function parseCheckCall(body: Buffer): ParsedCall {
  return readCall(body, (call) => ({ kind: "valid", execution: toIncoming(call, "CHECK_ENROLLMENT") }));
}
