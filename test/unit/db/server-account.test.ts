import { expect, test } from "@jest/globals";
import { chooseServerAccount } from "#platform/db/embedded/server-account.js";

const OWN = "sequence-enroller:x:997:996::/nonexistent:/usr/sbin/nologin";
const POSTGRES = "postgres:x:104:112:PostgreSQL administrator:/var/lib/postgresql:/bin/bash";
const NOBODY = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin";
const ROOT = "root:x:0:0:root:/root:/bin/bash";

test.each([
  ["the account made for it, wherever it stands", [ROOT, NOBODY, POSTGRES, OWN], { uid: 997, gid: 996 }],
  ["PostgreSQL's own where there is no such", [NOBODY, ROOT, POSTGRES], { uid: 104, gid: 112 }],
  ["the one that all programs share where there is no other", [ROOT, NOBODY], { uid: 65534, gid: 65534 }],
  ["none, and never itself, where all of these are missing", [ROOT], undefined],
])("root runs the embedded database under %s", (_, accounts, account) => {
  expect(chooseServerAccount(accounts.join("\n"))).toEqual(account);
});

test("an account that macOS lists by a negative number is taken by its unsigned one", () => {
  expect(chooseServerAccount("nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false")).toEqual({
    uid: 4294967294,
    gid: 4294967294,
  });
});
