import { describe, expect, test } from "@jest/globals";
import type { ExecutionId, PortalId, UserId } from "#platform/ids/branded-ids.js";

const pause = (portalId: PortalId): string => `portal ${portalId}`;
const block = (userId: UserId): string => `user ${userId}`;
const cancel = (executionIds: readonly ExecutionId[]): string => `executions ${executionIds.join(", ")}`;

/** The type check refuses this file if one of the lines marked as an error is none. */
describe("ids of different things", () => {
  const portalId: PortalId = 7n;
  const userId: UserId = 8n;
  const executionId: ExecutionId = 9n;

  test("are bigints when the app runs, and a bigint from outside becomes any of them without a cast", () => {
    expect([pause(portalId), block(userId), cancel([executionId]), pause(1n), block(BigInt("2"))]).toEqual([
      "portal 7",
      "user 8",
      "executions 9",
      "portal 1",
      "user 2",
    ]);
  });

  test("do not compile in each other's place", () => {
    // @ts-expect-error A user is no portal.
    const user = pause(userId);
    // @ts-expect-error An execution is no user.
    const execution = block(executionId);
    // @ts-expect-error Nor is a portal an execution, in a list either.
    const portal = cancel([portalId]);
    // @ts-expect-error Nor as the key of a map.
    const blocks = new Map<UserId, string>([[portalId, "refused"]]);
    expect([user, execution, portal, blocks.size]).toEqual(["portal 8", "user 9", "executions 7", 1]);
  });
});
