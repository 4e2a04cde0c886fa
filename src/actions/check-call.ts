import { readCall, toIncoming, type ParsedCall } from "./call-envelope.js";

/** Reads the bytes of a verified call of the check action; it has no inputs. */
export function parseCheckCall(body: Buffer): ParsedCall {
  const parsed = readCall(body);
  if (parsed === undefined) return { kind: "unreadable" };
  return { kind: "valid", execution: toIncoming(parsed, "CHECK_ENROLLMENT") };
}
