import type { ClientBase } from "pg";
import { peopleOf } from "#domain/directory/people.js";
import { whyUnusable } from "#domain/unenroll/problem-sentences.js";
import { readSetup } from "#domain/unenroll/setup.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { EnrollmentWish } from "./enrollment-wish.js";

type Reader = Pick<ClientBase, "query">;

/** What someone requests in an account. */
export interface AccountWish {
  readonly portalId: PortalId;
  readonly wish: EnrollmentWish;
}

/**
 * Which of the names in wishes exist in the accounts, by our copies of their directories and their settings. Keys begin
 * with the account: {@link nameIn}.
 */
export interface WishedNames {
  /** Listed sequences. */
  readonly sequenceIds: ReadonlySet<string>;
  /** Ids of listed sequences, by their exact name. */
  readonly sequenceNames: ReadonlyMap<string, readonly string[]>;
  /** Ids of active users, by address in lower case; the first if several have the same address. */
  readonly users: ReadonlyMap<string, string>;
  readonly presets: ReadonlySet<string>;
  readonly rotations: ReadonlySet<string>;
  /** Why a sequence cannot be replaced, for the accounts where a wish asks for it. */
  readonly replacingProblems: ReadonlyMap<PortalId, string>;
}

/** The key of a name in an account. */
export const nameIn = (portalId: PortalId | string, name: string): string => `${portalId}:${name}`;

/** Whether a sequence's id is all that has to be looked up. */
export function namesSequenceIdAlone({
  sequence,
  sender,
  presetId,
  ifAlreadyEnrolled,
}: EnrollmentWish): boolean {
  const isSenderPlain =
    sender?.rotationId === undefined && (sender?.email === undefined || sender.userId !== undefined);
  return "id" in sequence && isSenderPlain && presetId === undefined && ifAlreadyEnrolled !== "replace";
}

/** Looks up what the wishes name, however many they are, in a statement for each kind of name. Asks HubSpot nothing. */
export async function readWishedNames(reader: Reader, wishes: readonly AccountWish[]): Promise<WishedNames> {
  const named = (pick: (wish: EnrollmentWish) => string | undefined): Named[] =>
    wishes.flatMap(({ portalId, wish }) => {
      const name = pick(wish);
      return name === undefined ? [] : [{ portalId, name }];
    });
  return {
    sequenceIds: await readIds(
      reader,
      SEQUENCES,
      named(({ sequence }) => ("id" in sequence ? sequence.id : undefined)),
    ),
    sequenceNames: await readSequences(
      reader,
      named(({ sequence }) => ("name" in sequence ? sequence.name : undefined)),
    ),
    users: await readUsers(
      reader,
      named(({ sender }) => (sender?.userId === undefined ? sender?.email?.toLowerCase() : undefined)),
    ),
    presets: await readIds(
      reader,
      PRESETS,
      named(({ presetId }) => presetId),
    ),
    rotations: await readIds(
      reader,
      ROTATIONS,
      named(({ sender }) => sender?.rotationId),
    ),
    replacingProblems: await readReplacingProblems(reader, wishes),
  };
}

async function readReplacingProblems(
  reader: Reader,
  wishes: readonly AccountWish[],
): Promise<Map<PortalId, string>> {
  const problems = new Map<PortalId, string>();
  const replacing = wishes.filter(({ wish }) => wish.ifAlreadyEnrolled === "replace");
  for (const portalId of new Set(replacing.map((one) => one.portalId))) {
    const problem = whyUnusable(await readSetup({ pool: reader }, portalId));
    if (problem !== undefined) problems.set(portalId, problem);
  }
  return problems;
}

interface Named {
  readonly portalId: PortalId;
  readonly name: string;
}

/** Each once, as two columns. */
function columnsOf(named: readonly Named[]): [PortalId[], string[]] {
  const distinct = [...new Map(named.map((one) => [nameIn(one.portalId, one.name), one])).values()];
  return [distinct.map(({ portalId }) => portalId), distinct.map(({ name }) => name)];
}

const SEQUENCES = {
  name: "wished-sequences",
  text: `SELECT s.portal_id, s.sequence_id AS id FROM unnest($1::bigint[], $2::text[]) AS wished (portal_id, sequence_id)
           JOIN sequences s USING (portal_id, sequence_id) WHERE s.is_listed`,
};
const PRESETS = {
  name: "wished-presets",
  text: `SELECT p.portal_id, p.preset_id AS id FROM unnest($1::bigint[], $2::bigint[]) AS wished (portal_id, preset_id)
           JOIN presets p USING (portal_id, preset_id)`,
};
const ROTATIONS = {
  name: "wished-rotations",
  text: `SELECT r.portal_id, r.rotation_id AS id FROM unnest($1::bigint[], $2::bigint[]) AS wished (portal_id, rotation_id)
           JOIN rotations r USING (portal_id, rotation_id)`,
};

async function readIds(
  reader: Reader,
  statement: { name: string; text: string },
  named: readonly Named[],
): Promise<Set<string>> {
  if (named.length === 0) return new Set();
  const { rows } = await reader.query<{ portal_id: string; id: string }>({
    ...statement,
    values: columnsOf(named),
  });
  return new Set(rows.map(({ portal_id, id }) => nameIn(portal_id, id)));
}

async function readSequences(reader: Reader, named: readonly Named[]): Promise<Map<string, string[]>> {
  if (named.length === 0) return new Map();
  const { rows } = await reader.query<{ portal_id: string; name: string; ids: string[] }>({
    name: "wished-sequence-names",
    text: `SELECT s.portal_id, s.name, array_agg(s.sequence_id ORDER BY s.sequence_id) AS ids
             FROM unnest($1::bigint[], $2::text[]) AS wished (portal_id, name) JOIN sequences s USING (portal_id, name)
            WHERE s.is_listed GROUP BY s.portal_id, s.name`,
    values: columnsOf(named),
  });
  return new Map(rows.map(({ portal_id, name, ids }) => [nameIn(portal_id, name), ids]));
}

/** Who is active is looked up account by account; few wishes name a sender by address. */
async function readUsers(reader: Reader, named: readonly Named[]): Promise<Map<string, string>> {
  const users = new Map<string, string>();
  for (const portalId of new Set(named.map((one) => one.portalId))) {
    const emails = named.filter((one) => one.portalId === portalId).map(({ name }) => name);
    const { rows } = await reader.query<{ email: string; user_id: string }>({
      name: "wished-senders",
      text: `SELECT DISTINCT ON (lower(email)) lower(email) AS email, user_id FROM (${peopleOf()}) AS person
              WHERE is_active AND lower(email) = ANY ($2::text[]) ORDER BY lower(email), user_id`,
      values: [portalId, [...new Set(emails)]],
    });
    for (const { email, user_id: userId } of rows) users.set(nameIn(portalId, email), userId);
  }
  return users;
}
