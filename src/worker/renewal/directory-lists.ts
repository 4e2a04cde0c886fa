import { assertOurs, savePage, type CopiedList, type CopiedPage, type RenewalHands } from "./copied-list.js";

export const USERS = "Users";
const NO_SUPER_ADMIN = "HubSpot's list names no super admin, so it was not believed.";
/** First the archived owners, then the active ones: an owner in both is active by now. */
const ARCHIVED = "archived:";
const ACTIVE = "active:";

const NOTHING: CopiedPage = { ids: [], read: 0, leftOut: 0, next: undefined, isCut: false };

/** settings.users.read is optional: without it we use the owners, and our old copy says who the super admins are. */
export function userList(): CopiedList {
  let hasSuperAdmin = false;
  return {
    name: USERS,
    isOptional: true,
    copyPage: async ({ gateway, copy }, after) => {
      const page = await gateway.listUsers({ after });
      if (page.results.some(({ superAdmin }) => superAdmin)) hasSuperAdmin = true;
      return savePage(page, copy.users);
    },
    // Every account has a super admin. A list without any is empty or cut off, and would leave the account without an
    // admin.
    whyNotBelieved: () => (hasSuperAdmin ? undefined : NO_SUPER_ADMIN),
    retireOthers: (copy, ids, since) => copy.users.retireOthers(ids, since),
  };
}

export const OWNER_LIST: CopiedList = {
  name: "Owners",
  copyPage: (hands, cursor) => copyOwners(hands, cursor ?? ARCHIVED),
  retireOthers: (copy, ids, since) => copy.owners.retireOthers(ids, since),
};

export const ACCOUNT_LIST: CopiedList = {
  name: "Account",
  copyPage: async ({ gateway, copy }) => {
    assertOurs(await copy.saveAccount(await gateway.readAccount()));
    return NOTHING;
  },
};

async function copyOwners({ gateway, copy }: RenewalHands, cursor: string): Promise<CopiedPage> {
  const part = cursor.startsWith(ARCHIVED) ? ARCHIVED : ACTIVE;
  const after = cursor.slice(part.length);
  const page = await gateway.listOwners({
    after: after === "" ? undefined : after,
    archived: part === ARCHIVED,
  });
  const saved = await savePage(page, copy.owners);
  const { next } = saved;
  if (next !== undefined) return { ...saved, next: part + next };
  return { ...saved, next: part === ARCHIVED ? ACTIVE : undefined };
}
