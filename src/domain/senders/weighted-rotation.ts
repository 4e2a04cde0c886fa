import type { UserId } from "#platform/ids/branded-ids.js";

/** A member of a rotation. `currentWeight` is the rotation's memory: over all members it adds up to 0 between picks. */
export interface WheelMember {
  readonly userId: UserId;
  /** Share of the picks. */
  readonly weight: number;
  currentWeight: number;
  picks: number;
}

/** What a pick changed on the wheel, so that it can be undone. */
export interface WheelPick {
  readonly picked: WheelMember;
  readonly among: readonly WheelMember[];
}

/** The sum of the weights that took part; it does not depend on their order. */
function totalWeight(members: readonly WheelMember[]): number {
  return members.reduce((sum, { weight }) => sum + weight, 0);
}

/**
 * The member whose turn it is: among those with a positive balance, the one who will be owed a whole pick first; in a
 * tie the first. It is not simply the one with the highest balance: with uneven weights another would fall more than a
 * pick behind.
 */
function nextInTurn(members: readonly WheelMember[]): WheelMember | undefined {
  const total = totalWeight(members);
  let next: WheelMember | undefined;
  let soonest = Number.POSITIVE_INFINITY;
  for (const member of members) {
    const owed = member.currentWeight + member.weight;
    const picksUntilWhole = (total - owed) / member.weight;
    if (owed <= 0 || picksUntilWhole >= soonest) continue;
    [next, soonest] = [member, picksUntilWhole];
  }
  return next ?? leastAhead(members);
}

/** Used if no member with a positive balance can be picked now: all the others had more than their share. */
function leastAhead(members: readonly WheelMember[]): WheelMember | undefined {
  const owed = (member: WheelMember): number => member.currentWeight + member.weight;
  return members.reduce<WheelMember | undefined>(
    (best, member) => (best === undefined || owed(member) > owed(best) ? member : best),
    undefined,
  );
}

/**
 * Weighted round robin: each member gains its weight, and the one picked pays for all. Over any run of picks among the
 * same members each gets its share to within one pick, spread evenly.
 *
 * @param among the members who can be picked now; the others keep their balance.
 * @param wanted picked whoever's turn it is (a contact's earlier sender); it pays as if it were its turn.
 */
export function pickFromWheel(among: readonly WheelMember[], wanted?: WheelMember): WheelPick | undefined {
  const picked = wanted ?? nextInTurn(among);
  if (picked === undefined) return undefined;
  for (const member of among) member.currentWeight += member.weight;
  picked.currentWeight -= totalWeight(among);
  picked.picks += 1;
  return { picked, among };
}

/** Undoes a pick that sent nothing, whatever was picked since. */
export function takeBack({ picked, among }: WheelPick): void {
  for (const member of among) member.currentWeight -= member.weight;
  picked.currentWeight += totalWeight(among);
  picked.picks -= 1;
}
