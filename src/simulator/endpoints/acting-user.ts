import { invalid, refuse, type Answer } from "../wire/answer.js";
import type { SimulatedSequence, SimulatedUser } from "../portal/model.js";
import type { SimulatedPortal } from "../portal.js";
import type { ApiCall } from "./call.js";

/** The user in whose name a call is made, or the answer to give without one. */
export function actingUser({ portal, query }: ApiCall): { user: SimulatedUser } | { refusal: Answer } {
  const userId = query.get("userId");
  if (userId === null || userId === "") return { refusal: invalid("query param userId may not be null") };
  const user = portal.users.get(Number(userId));
  if (user === undefined || !user.active || !user.hasSequencesPermission) {
    return {
      refusal: refuse(403, {
        category: "PERMISSION_DENIED",
        message: `User ${userId} does not have permission to use sequences`,
      }),
    };
  }
  return { user };
}

export function canSee(sequence: SimulatedSequence, userId: number): boolean {
  return sequence.visibleTo === "all" || sequence.userId === userId || sequence.visibleTo.includes(userId);
}

export function visibleSequence(
  portal: SimulatedPortal,
  sequenceId: string,
  userId: number,
): SimulatedSequence | undefined {
  const sequence = portal.sequences.get(sequenceId);
  return sequence !== undefined && !sequence.deleted && canSee(sequence, userId) ? sequence : undefined;
}
