import type { Arguments, Option } from "../arguments.js";
import { WrongUse } from "../errors.js";

/** What says how to enroll, for one contact and for the rows of an import. */
export const ENROLL_OPTIONS: readonly Option[] = [
  { name: "sequence", value: "ID|NAME", help: "the sequence by its id or its exact name" },
  { name: "sequence-name", value: "NAME", help: "the same for a name that consists of digits" },
  {
    name: "sender",
    value: "WHO",
    help: "contact_owner, portal_default, a user's email address or a user's id",
  },
  { name: "sender-rotation", value: "ID", help: "the next sender of this rotation" },
  { name: "sender-alias", value: "ADDRESS", help: "the sender's address to send from" },
  { name: "preset", value: "ID", help: "a preset made on the settings site" },
  { name: "if-already-enrolled", value: "POLICY", help: "skip, fail, wait or replace" },
  { name: "cooldown-days", value: "DAYS", help: "not if the contact was in a sequence so recently" },
  { name: "not-before", value: "DATE", help: "not earlier than this date or time" },
];

const isId = (text: string): boolean => /^\d{1,19}$/.test(text);

function sequenceOf(args: Arguments): { id: string } | { name: string } | undefined {
  const [given, name] = [args.text("sequence"), args.text("sequence-name")];
  if (given !== undefined && name !== undefined)
    throw new WrongUse("Give --sequence or --sequence-name, not both.");
  if (name !== undefined) return { name };
  if (given === undefined) return undefined;
  return isId(given) ? { id: given } : { name: given };
}

function senderChoice(who: string): Record<string, string> {
  if (who === "contact_owner" || who === "portal_default") return { mode: who };
  if (who.includes("@")) return { mode: "specific_user", email: who };
  if (isId(who)) return { mode: "specific_user", userId: who };
  throw new WrongUse(
    `--sender takes contact_owner, portal_default, an email address or an id, not “${who}”.`,
  );
}

function senderOf(args: Arguments): Record<string, string> | undefined {
  const [who, rotationId, alias] = [
    args.text("sender"),
    args.text("sender-rotation"),
    args.text("sender-alias"),
  ];
  if (who !== undefined && rotationId !== undefined)
    throw new WrongUse("Give --sender or --sender-rotation, not both.");
  const choice = rotationId === undefined ? who && senderChoice(who) : { mode: "rotation", rotationId };
  if (alias !== undefined && !choice)
    throw new WrongUse("--sender-alias needs --sender or --sender-rotation.");
  return choice ? { ...choice, ...(alias === undefined ? {} : { alias }) } : undefined;
}

/** The body of an enrollment without its contact; only what was given. */
export function enrollBody(args: Arguments): Record<string, unknown> {
  const all = {
    sequence: sequenceOf(args),
    sender: senderOf(args),
    presetId: args.text("preset"),
    ifAlreadyEnrolled: args.text("if-already-enrolled"),
    cooldownDays: args.number("cooldown-days", { min: 0, max: 3650 }),
    notBefore: args.text("not-before"),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
