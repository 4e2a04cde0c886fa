import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import type { Rotation } from "./portal-policy.js";
import { pickFromWheel, takeBack, type WheelMember, type WheelPick } from "./weighted-rotation.js";

/** A rotation member's position, as it is to be stored. */
export interface WheelState {
  readonly rotationId: string;
  readonly userId: UserId;
  readonly currentWeight: number;
  readonly picks: number;
}

/**
 * A portal's rotations, held by its owner, who alone advances them: the positions read when the turn began are updated
 * here, and stored with each pick before the pick is acted on.
 */
export class RotationWheels {
  readonly #wheels = new Map<string, Map<UserId, WheelMember>>();
  readonly #picks = new Map<ExecutionId, { readonly pick: WheelPick; readonly rotationId: string }>();
  readonly #turned = new Set<string>();

  /** Members with their current positions, whatever an admin changed about the rotation meanwhile. */
  membersOf(rotation: Rotation): WheelMember[] {
    const known = this.#wheels.get(rotation.rotationId);
    const members = rotation.members.map((member) => {
      const held = known?.get(member.userId);
      if (held === undefined) return { ...member };
      return held.weight === member.weight
        ? held
        : { ...member, currentWeight: held.currentWeight, picks: held.picks };
    });
    this.#wheels.set(rotation.rotationId, new Map(members.map((member) => [member.userId, member])));
    return members;
  }

  /** Picks for an execution among the members that can send; `wanted` is preferred to the member whose turn it is. */
  pick(choice: {
    executionId: ExecutionId;
    rotation: Rotation;
    canSend: (userId: UserId) => boolean;
    wanted: UserId | undefined;
  }): UserId | undefined {
    const among = this.membersOf(choice.rotation).filter(({ userId }) => choice.canSend(userId));
    const pick = pickFromWheel(
      among,
      among.find(({ userId }) => userId === choice.wanted),
    );
    if (pick === undefined) return undefined;
    const { rotationId } = choice.rotation;
    this.#picks.set(choice.executionId, { pick, rotationId });
    this.#turned.add(rotationId);
    return pick.picked.userId;
  }

  /** Keeps the pick made for the execution. */
  keep(executionId: ExecutionId): void {
    this.#picks.delete(executionId);
  }

  /** Nothing was sent for the execution's pick: its turn is given back. */
  giveBack(executionId: ExecutionId): void {
    const made = this.#picks.get(executionId);
    if (made === undefined) return;
    this.#picks.delete(executionId);
    takeBack(made.pick);
    this.#turned.add(made.rotationId);
  }

  /** What changed since the last call, to be stored. */
  takeTurned(): WheelState[] {
    const turned = [...this.#turned];
    this.#turned.clear();
    return turned.flatMap((rotationId) =>
      [...(this.#wheels.get(rotationId)?.values() ?? [])].map(({ userId, currentWeight, picks }) => ({
        rotationId,
        userId,
        currentWeight,
        picks,
      })),
    );
  }
}
