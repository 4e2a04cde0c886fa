import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createCipher } from "#domain/vault/cipher.js";
import { SealBroken, SealKeyUnknown } from "#domain/vault/errors.js";

const oldKey = { id: "2025", key: randomBytes(32) };
const newKey = { id: "2026", key: randomBytes(32) };
const context = { portalId: 4455667n, field: "access_token_sealed" };

/** The seal with one of its parts, counted from 0, cut or filled up to a number of bytes. */
function withLength(sealed: string, index: number, bytes: number): string {
  const parts = sealed.split(".");
  const part = Buffer.concat([Buffer.from(parts[index] ?? "", "base64url"), Buffer.alloc(bytes)]);
  return parts.with(index, part.subarray(0, bytes).toString("base64url")).join(".");
}

describe("a sealed text", () => {
  const cipher = createCipher([newKey, oldKey]);

  test("opens to what was sealed, whatever it was", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 2000 }),
        fc.bigInt({ min: 1n, max: 2n ** 62n }),
        (plain, portalId) => {
          const sealed = cipher.seal(plain, { ...context, portalId });
          expect(cipher.open(sealed, { ...context, portalId })).toBe(plain);
        },
      ),
    );
  });

  test("names its version and key, and shows nothing of the text", () => {
    const sealed = cipher.seal("CLtoken-in-the-clear", context);
    expect(sealed).toMatch(/^v1\.2026\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/);
    expect(sealed).not.toContain("token");
    expect(Buffer.from(sealed.split(".")[3] ?? "", "base64url").toString()).not.toContain("token");
  });

  test("is never the same twice", () => {
    const seals = Array.from({ length: 1000 }, () => cipher.seal("same", context));
    expect(new Set(seals).size).toBe(1000);
  });

  test("does not open for another portal or another column", () => {
    const sealed = cipher.seal("secret", context);
    expect(() => cipher.open(sealed, { ...context, portalId: 4455668n })).toThrow(SealBroken);
    expect(() => cipher.open(sealed, { ...context, field: "refresh_token_sealed" })).toThrow(SealBroken);
  });

  test("does not open after a change of any byte", () => {
    const parts = cipher.seal("a secret of some length", context).split(".");
    for (const index of [2, 3, 4]) {
      const bytes = Buffer.from(parts[index] ?? "", "base64url");
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        const text = parts.with(index, changed.toString("base64url")).join(".");
        expect(() => cipher.open(text, context)).toThrow(SealBroken);
      }
    }
  });

  test("does not open when it is cut, empty or of another form", () => {
    const sealed = cipher.seal("secret", context);
    const shortTag = sealed.slice(0, -8);
    for (const text of [
      "",
      "v1",
      "plain text",
      shortTag,
      sealed.replace("v1.", "v2."),
      `${sealed}.more`,
      "v1.2026.a.b.c",
      withLength(sealed, 2, 11),
      withLength(sealed, 2, 13),
      withLength(sealed, 4, 12),
      withLength(sealed, 4, 17),
    ]) {
      expect(() => cipher.open(text, context)).toThrow(SealBroken);
      expect(() => cipher.open(text, context)).toThrow(/does not have the expected form/);
      expect(() => cipher.isCurrent(text)).toThrow(SealBroken);
    }
  });

  test("says which column of which portal does not open, and keeps the cause", () => {
    const sealed = cipher.seal("secret", { ...context, portalId: 1n });
    const opening = () => cipher.open(sealed, context);
    expect(opening).toThrow(/^A sealed access_token_sealed of portal 4455667 does not open$/);
    expect(opening).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });

  test("does not open under another key that took its id", () => {
    const impostor = createCipher([{ id: newKey.id, key: randomBytes(32) }]);
    expect(() => impostor.open(cipher.seal("secret", context), context)).toThrow(SealBroken);
  });
});

describe("a rotation of keys", () => {
  const before = createCipher([oldKey]);
  const during = createCipher([newKey, oldKey]);
  const after = createCipher([newKey]);

  test("reads what the old key sealed, seals with the new one, and tells them apart", () => {
    const old = before.seal("secret", context);
    expect(during.open(old, context)).toBe("secret");
    expect(during.isCurrent(old)).toBe(false);
    const renewed = during.seal("secret", context);
    expect(during.isCurrent(renewed)).toBe(true);
    expect(after.open(renewed, context)).toBe("secret");
  });

  test("names the key that is missing once it is gone, without a word of the text", () => {
    const old = before.seal("secret", context);
    expect(() => after.open(old, context)).toThrow(SealKeyUnknown);
    expect(() => after.open(old, context)).toThrow(/2025/);
  });

  test("knows the keys that are configured, and no other", () => {
    expect(["2025", "2026", "2027"].map((keyId) => during.knows(keyId))).toEqual([true, true, false]);
    expect(after.knows("2025")).toBe(false);
  });

  test("does not let a text pass as sealed by another key", () => {
    const relabeled = before.seal("secret", context).replace(".2025.", ".2026.");
    expect(() => during.open(relabeled, context)).toThrow(SealBroken);
  });
});
