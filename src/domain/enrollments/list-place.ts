import type { ExecutionId } from "#platform/ids/branded-ids.js";

export const ENROLLMENT_SORTS = ["-createdAt", "updatedAt"] as const;
export type EnrollmentSort = (typeof ENROLLMENT_SORTS)[number];

/** Where a list continues: after this enrollment, which may be gone by now. */
export interface ListPlace {
  readonly id: ExecutionId;
  /** With sort `updatedAt`. */
  readonly updatedAt?: Date | undefined;
}

/** The place as text that callers give back as it is. */
export function writePlace({ id, updatedAt }: ListPlace): string {
  const text = updatedAt === undefined ? `c.${id}` : `u.${updatedAt.getTime()}.${id}`;
  return Buffer.from(text).toString("base64url");
}

/** Undefined: it is not a place of a list in this order. */
export function readPlace(text: string, sort: EnrollmentSort): ListPlace | undefined {
  const plain = Buffer.from(text, "base64url").toString("latin1");
  const [, id, ms] =
    sort === "updatedAt"
      ? (/^u\.(?=\d+\.(\d{1,18})$)(\d{1,14})\./.exec(plain) ?? [])
      : (/^c\.(\d{1,18})$/.exec(plain) ?? []);
  if (id === undefined) return undefined;
  return ms === undefined ? { id: BigInt(id) } : { id: BigInt(id), updatedAt: new Date(Number(ms)) };
}
