import { Prisma } from "#platform/db/generated/client.js";

/** Whether a write failed because the portal already has one with this name. */
export function isNameTaken(fault: unknown): boolean {
  return fault instanceof Prisma.PrismaClientKnownRequestError && fault.code === "P2002";
}
