/** One who takes turns. `currentWeight` is the rotation's memory: over all members it adds up to 0 between picks. */
export interface WheelMember {
  readonly userId: bigint;
  /** Share of the picks. */
  readonly weight: number;
  currentWeight: number;
  picks: number;
}

/** What a pick did to the wheel, so that it can be taken back. */
export interface WheelPick {
  readonly picked: WheelMember;
  readonly among: readonly WheelMember[];
}

/** The sum of the weights that took part, in the order nothing depends on. */
function totalWeight(members: readonly WheelMember[]): number {
  return members.reduce((sum, { weight }) => sum + weight, 0);
}

/** The one whose turn it is: who has waited longest by weight; the first of equals. */
function longestWaiting(members: readonly WheelMember[]): WheelMember | undefined {
  let best: WheelMember | undefined;
  for (const member of members) {
    if (best === undefined || member.currentWeight + member.weight > best.currentWeight + best.weight)
      best = member;
  }
  return best;
}

/**
 * Smooth weighted round robin: each member gains its weight, and the one with the most pays for all. Over any run of
 * picks among the same members each gets its share to within one pick, spread evenly.
 *
 * @param among those who can be picked now; the others keep what they have.
 * @param wanted picked whoever's turn it is (a contact's earlier sender); it pays as if it were its turn.
 */
export function pickFromWheel(among: readonly WheelMember[], wanted?: WheelMember): WheelPick | undefined {
  const picked = wanted ?? longestWaiting(among);
  if (picked === undefined) return undefined;
  for (const member of among) member.currentWeight += member.weight;
  picked.currentWeight -= totalWeight(among);
  picked.picks += 1;
  return { picked, among };
}

/** Takes a pick back that came to nothing, whatever was picked since. */
export function takeBack({ picked, among }: WheelPick): void {
  for (const member of among) member.currentWeight -= member.weight;
  picked.currentWeight += totalWeight(among);
  picked.picks -= 1;
}
