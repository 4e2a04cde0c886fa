import type { Pool } from "pg";
import type { IfAlreadyEnrolled } from "#domain/contract/actions/enroll-contract.js";
import type { CurrentSequence } from "#domain/contract/sequence-facts.js";
import type { ChoiceExplanation } from "#domain/senders/explain-choice.js";
import { judgeReplacement, type Replacement } from "#domain/unenroll/judge-replacement.js";
import { readSetup } from "#domain/unenroll/setup.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Verdict } from "./verdict.js";

/** What the step asks for, and how long it has for it. */
interface Asked {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly sequenceId: string;
  readonly leftMs: number;
}

const NAME = "Already in a sequence?";
const CODE = "ALREADY_ENROLLED";

/** The contact is in a sequence, by HubSpot's lookup: told by the words, and for a replacement by the rule, for what then happens. */
export async function judgeInSequence(
  { policy, current }: Extract<ChoiceExplanation, { kind: "in-sequence" }>,
  { pool, portalId, sequenceId, leftMs }: Asked,
): Promise<Verdict> {
  const { ifAlreadyEnrolled } = policy;
  if (ifAlreadyEnrolled === "replace") {
    const setup = await readSetup({ pool }, portalId);
    return replacing(judgeReplacement({ sequenceId, current, setup, leftMs }), current);
  }
  const sentence = `The contact is in ${whichOf(current)} now. With these rules, ${WORDS[ifAlreadyEnrolled]}.`;
  return ifAlreadyEnrolled === "wait" ? waits(sentence) : stays(sentence);
}

const WORDS: Readonly<Record<Exclude<IfAlreadyEnrolled, "replace">, string>> = {
  skip: "the action keeps the contact there and continues",
  fail: "the action is marked as failed and the workflow continues",
  wait: "the contact waits until that sequence ends, then is enrolled",
};

function whichOf({ sequenceName }: CurrentSequence): string {
  return sequenceName == null ? "a sequence" : `“${sequenceName}”`;
}

function replacing(verdict: Replacement, current: CurrentSequence): Verdict {
  const where = whichOf(current);
  switch (verdict.kind) {
    case "replace":
      return waits(
        `The contact is in ${where} now. The action would take the contact out, which takes a few minutes, then enroll.`,
      );
    case "keep":
      return stays(
        "The contact is already in this sequence. There is nothing to replace, and the contact would continue.",
      );
    case "refuse":
      return stays(
        `The contact is in ${where} now and would stay there. The action would be marked as failed. ${verdict.detail}`,
      );
  }
}

function waits(sentence: string): Verdict {
  const check = { name: NAME, verdict: "waits", code: CODE, sentence } as const;
  return { checks: [check], choice: undefined, decision: "wait", code: CODE, sentence };
}

function stays(sentence: string): Verdict {
  const check = { name: NAME, verdict: "refused", code: CODE, sentence } as const;
  return { checks: [check], choice: undefined, decision: "refuse", code: CODE, sentence };
}
