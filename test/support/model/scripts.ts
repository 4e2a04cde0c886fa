import { UNKIND, type ContactKind, type ModelWorld } from "./hubspot.js";
import { attempts, completes, deadlinePasses, delivers, outlastsDeadline, type Step } from "./steps.js";

const ok = { enroll: "ok", read: "ok" } as const;
const atOnce = { isAfterWait: false };
const afterWait = { isAfterWait: true };

const delivered = (kind: ContactKind, answer: "read" | "lost" = "read"): Step =>
  delivers({ kind, isShared: false, answer });

/** Steps that surely reach what drawn ones reach only by chance: every state, and every way to be decided. */
const SCRIPTS: readonly Step[][] = [
  // Enrolled, and refused for good, because HubSpot never read our answer.
  [delivered("plain", "lost"), attempts([ok], atOnce), completes({ batch: "ok", single: "ok" }, afterWait)],
  [delivered("unsubscribed"), delivered("enrolledBefore"), attempts([ok, ok], atOnce)],
  // Uncertain, and read.
  [delivered("plain"), attempts([{ enroll: "lostAfter", read: "ok" }], atOnce), attempts([ok], afterWait)],
  [delivered("plain"), outlastsDeadline(0)],
  [delivered("plain"), deadlinePasses(0), attempts([ok], afterWait)],
];

/** As examples of a property of a world and its steps. */
export const EXAMPLES = SCRIPTS.map((script): [ModelWorld, Step[]] => [UNKIND, script]);
