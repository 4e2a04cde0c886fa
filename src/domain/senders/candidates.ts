import { ownValue } from "#platform/text/own-value.js";
import { peopleOfUsers, personOfOwner, type PeopleSources, type PossibleSender } from "./people.js";
import type { Policy, SenderRule } from "#domain/contract/policy.js";
import type { PortalPolicy, Rotation } from "./portal-policy.js";
import type { CandidateVia } from "#domain/contract/sender-choice.js";

/** Candidates considered together: one person, or the members of a rotation, of whom one is picked. */
export interface CandidateGroup {
  readonly via: CandidateVia;
  readonly people: readonly PossibleSender[];
  readonly rotation: Rotation | undefined;
}

/**
 * The members of rotations, keyed by the rotation as it was read, so that one an admin changed is looked up again. All
 * contacts that need them share one lookup, even while it is running.
 */
export type KnownMembers = WeakMap<Rotation, Promise<readonly PossibleSender[]>>;

/** A group that is looked up only when its turn comes: most contacts never get past the first. */
type LazyGroup = () => Promise<CandidateGroup>;

export interface CandidateSources {
  readonly portal: PortalPolicy;
  readonly people: PeopleSources;
  readonly knownMembers: KnownMembers;
  readonly properties: Readonly<Record<string, string | null>>;
}

function nobody(via: CandidateVia, reason: string): CandidateGroup {
  return { via, people: [{ kind: "nobody", code: "NO_SENDER_AVAILABLE", reason }], rotation: undefined };
}

async function fromRotation(
  via: "rotation" | "fallback_rotation",
  rotationId: string,
  { portal, people, knownMembers }: CandidateSources,
): Promise<CandidateGroup> {
  const rotation = portal.rotations.get(rotationId);
  if (rotation === undefined)
    return nobody(via, "The rotation was deleted. Choose another sender in the action or the preset.");
  if (rotation.members.length === 0)
    return nobody(via, `The rotation “${rotation.name}” has no senders. Add some to it.`);
  return { via, people: await membersOf(rotation, { people, knownMembers }), rotation };
}

async function membersOf(
  rotation: Rotation,
  { people, knownMembers }: Pick<CandidateSources, "people" | "knownMembers">,
): Promise<readonly PossibleSender[]> {
  const known = knownMembers.get(rotation);
  if (known !== undefined) return known;
  const ids = rotation.members.map(({ userId }) => userId);
  const looking = peopleOfUsers(ids, people);
  knownMembers.set(rotation, looking);
  try {
    return await looking;
  } catch (error) {
    knownMembers.delete(rotation);
    throw error;
  }
}

async function fromDefaultSender({ portal, people }: CandidateSources): Promise<CandidateGroup> {
  const { defaultSenderUserId } = portal;
  if (defaultSenderUserId === undefined)
    return nobody("default_sender", "No default sender is set. Choose one in the app's settings.");
  return {
    via: "default_sender",
    people: await peopleOfUsers([defaultSenderUserId], people),
    rotation: undefined,
  };
}

async function fromRule(rule: SenderRule, sources: CandidateSources): Promise<CandidateGroup> {
  const { people, properties } = sources;
  const one = (person: PossibleSender): CandidateGroup => ({
    via: rule.mode,
    people: [person],
    rotation: undefined,
  });
  switch (rule.mode) {
    case "contact_owner":
      return one(await personOfOwner(properties["hubspot_owner_id"], people));
    case "contact_property":
      return one(await personOfOwner(ownValue(properties, rule.property), people));
    case "specific_user":
      return rule.userId === ""
        ? one({ kind: "nobody", code: "INVALID_INPUT", reason: "No sender is selected." })
        : { via: rule.mode, people: await peopleOfUsers([BigInt(rule.userId)], people), rotation: undefined };
    case "rotation":
      return fromRotation("rotation", rule.rotationId, sources);
    case "default_sender":
      return fromDefaultSender(sources);
  }
}

/** Who may send according to the policy, in order: the chosen sender, the fallback rotation, the default sender. */
export function candidateGroups({ sender, fallback }: Policy, sources: CandidateSources): LazyGroup[] {
  const { rotationId, toDefaultSender } = fallback;
  const isDefaultChosen = sender.mode === "default_sender";
  const isRotationChosen = sender.mode === "rotation" && sender.rotationId === rotationId;
  return [
    () => fromRule(sender, sources),
    ...(rotationId === null || isRotationChosen
      ? []
      : [() => fromRotation("fallback_rotation", rotationId, sources)]),
    ...(toDefaultSender && !isDefaultChosen ? [() => fromDefaultSender(sources)] : []),
  ];
}
