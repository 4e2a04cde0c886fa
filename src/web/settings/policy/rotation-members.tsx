import type { ComponentChildren } from "preact";
import { MAX_WEIGHT, type StoredRotation } from "#domain/policy/rotation-store.js";
import { pickFromWheel } from "#domain/senders/weighted-rotation.js";
import { unnamed } from "#domain/directory/people.js";
import { Group, TextField } from "../frame/fields.js";
import type { SenderItem } from "#domain/policy/sender-list.js";
import { SENDERS_PATH } from "../senders/senders-address.js";
import { daysOff, senderStatusOf, WEEK } from "../senders/sender-status.js";
import { weightOf, type MemberDays, type MemberEntry, type RotationEntry } from "./rotation-entry.js";
import type { Frame } from "../frame/shell.js";
import type { Problems } from "../frame/problems.js";
import type { StatusFacts } from "../senders/sender-status.js";
import type { Nameable } from "../words/names.js";
import { Email } from "../words/email.js";
import { sharesOf } from "./shares.js";

/** The part of a rotation's form that is about its senders. */
export interface MembersModel {
  frame: Frame;
  /** Undefined for a new one. */
  saved: StoredRotation | undefined;
  readonly entry: RotationEntry;
  nameable: Nameable;
  readonly problems: Problems;
  /** The members of the form as senders, by user id. */
  senders: ReadonlyMap<string, SenderItem>;
  facts: StatusFacts;
}

/** Turns that are foretold. */
const TURNS = 3;

/** One line for each sender: the share, what the sender does now, the days off, and the way out. */
export function MemberRows({ children, ...model }: MembersModel & { children: ComponentChildren }) {
  const { entry } = model;
  const weights = entry.members.map(({ weight }) => weightOf(weight) ?? 0);
  const shares = sharesOf(weights);
  return (
    <Group
      legend="Senders"
      note={`A sender with weight 2 gets twice as many contacts as one with weight 1; 0.5 is half (up to ${MAX_WEIGHT}). Weights are kept as whole numbers with the same shares. Changing them restarts the rotation.`}
    >
      {entry.members.length === 0 ? <p class="note">No senders yet.</p> : <ShareBar weights={weights} />}
      {entry.members.length === 0 ? null : (
        <p class="member-heads" aria-hidden="true">
          <span>Sender</span>
          <span>Weight</span>
          <span>Status and days</span>
        </p>
      )}
      <ul class="members">
        {entry.members.map((member, index) => (
          <Row key={member.userId} {...model} member={member} share={shares[index] ?? 0} />
        ))}
      </ul>
      {children}
      <NextTurns {...model} />
    </Group>
  );
}

interface RowModel extends MembersModel {
  member: MemberEntry;
  share: number;
}

function Row({ saved, nameable, problems, frame, senders, facts, member, share }: RowModel) {
  const { userId, weight, days } = member;
  const name = nameable.names.people.get(userId) ?? unnamed(userId);
  const known = saved?.members.find((one) => one.userId.toString() === userId);
  const picks = known?.picks ?? 0n;
  const isNew = saved !== undefined && known === undefined;
  const sender = senders.get(userId);
  return (
    <li>
      <input type="hidden" name="member" value={userId} />
      <TextField
        name={`weight_${userId}`}
        label={sender?.label ?? name}
        inputMode="numeric"
        value={weight}
        problems={problems}
        note={
          <>
            {sender?.email == null || sender.email === sender.label ? null : (
              <span class="line">
                <Email address={sender.email} />
              </span>
            )}
            <span data-share={userId}>{share}%</span> of contacts · {frame.format.count(Number(picks))}{" "}
            assigned
          </>
        }
      />
      {sender === undefined ? null : <SenderState sender={sender} facts={facts} days={days} isNew={isNew} />}
      <button class="button quiet" name="remove" value={userId} aria-label={`Remove ${name}`}>
        Remove
      </button>
    </li>
  );
}

type StateModel = Pick<MembersModel, "facts"> & {
  sender: SenderItem;
  days: MemberDays | undefined;
  /** Just added: what there is to decide about the sender is open. */
  isNew: boolean;
};

/** Whether the sender can send, and the days off, which are the sender's own wherever they are changed. */
function SenderState({ sender, facts, days, isNew }: StateModel) {
  const { words, tone } = senderStatusOf(sender, facts);
  const chosen = days?.days ?? sender.hours.days.map(String);
  const off = daysOff({ days: chosen.map(Number) });
  const id = String(sender.userId);
  return (
    <div class="member-state">
      <a href={`${SENDERS_PATH}/${id}`} aria-label={`${sender.label}: ${words}`}>
        <span class={`badge ${tone}`}>{words}</span>
      </a>
      <details open={isNew}>
        <summary>{off === undefined ? "Every day" : `Off: ${off}`}</summary>
        <input type="hidden" name={`days_version_${id}`} value={days?.version ?? sender.version} />
        <fieldset class="days">
          <legend class="unseen">Days on which {sender.label} sends</legend>
          {WEEK.map((day, index) => (
            <label key={day}>
              <input
                type="checkbox"
                name={`days_${id}`}
                value={String(index + 1)}
                checked={chosen.length === 0 || chosen.includes(String(index + 1))}
              />{" "}
              {day}
            </label>
          ))}
        </fieldset>
        <p class="note">Applies wherever {sender.label} sends.</p>
      </details>
      {tone === "failed" ? <p class="warning">Can't send now: contacts go to the next sender.</p> : null}
    </div>
  );
}

/** The shares as one bar; the numbers stand beside each sender. */
function ShareBar({ weights }: { weights: readonly number[] }) {
  const total = Math.max(
    1,
    weights.reduce((sum, weight) => sum + weight, 0),
  );
  let from = 0;
  return (
    <svg class="bar shares" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
      {weights.map((weight, index) => {
        const width = (1000 * weight) / total;
        const x = from;
        from += width;
        return (
          <rect key={index} class={`share-${index % 6}`} x={x} width={Math.max(0, width - 3)} height="6" />
        );
      })}
    </svg>
  );
}

/** Whose turn it is, as saved, if all of them can send. */
function NextTurns({ saved, senders }: Pick<MembersModel, "saved" | "senders">) {
  if (saved === undefined || saved.members.length < 2) return null;
  const names = turnsOf(saved).map((userId) => senders.get(userId)?.label ?? unnamed(userId));
  return (
    <p class="note" id="next-turns">
      Next, if they can send: {names.join(", ")}.
    </p>
  );
}

/** The engine's own wheel, turned on a copy. */
function turnsOf({ members }: StoredRotation): string[] {
  const wheel = members.map(({ userId, weight, currentWeight }) => ({
    userId,
    weight,
    currentWeight,
    picks: 0,
  }));
  return Array.from({ length: TURNS }, () => pickFromWheel(wheel)?.picked.userId.toString()).filter(
    (userId) => userId !== undefined,
  );
}
