import { notFound, ok, type Answer } from "../wire/answer.js";
import type { SimulatedSequence } from "../portal/model.js";
import { actingUser, canSee, visibleSequence } from "./acting-user.js";
import { pageOf, type ApiCall, type ApiRoute } from "./call.js";
import { enroll } from "./enroll.js";
import { sequenceDetail } from "./sequence-detail.js";

const BASE = "/automation/sequences/2026-09";
const READ = ["automation.sequences.read"];

/** HubSpot's sequences API (docs/hubspot.md §5). There is no way to unenroll through it. */
export const SEQUENCE_ROUTES: readonly ApiRoute[] = [
  { method: "GET", path: BASE, endpoint: "sequences", scopes: READ, answer: list },
  { method: "GET", path: `${BASE}/{sequenceId}`, endpoint: "sequences", scopes: READ, answer: get },
  {
    method: "POST",
    path: `${BASE}/enrollments`,
    endpoint: "enroll",
    scopes: ["automation.sequences.enrollments.write"],
    answer: enroll,
  },
  {
    method: "GET",
    path: `${BASE}/enrollments/contact/{contactId}`,
    endpoint: "enrollment-lookup",
    scopes: READ,
    answer: lookUp,
  },
];

function list(call: ApiCall): Answer {
  const acting = actingUser(call);
  if ("refusal" in acting) return acting.refusal;
  const name = call.query.get("name")?.toLowerCase();
  const visible = [...call.portal.sequences.values()].filter(
    (sequence) =>
      !sequence.deleted &&
      canSee(sequence, acting.user.userId) &&
      (name === undefined || sequence.name.toLowerCase().includes(name)),
  );
  const { results, ...paging } = pageOf(visible, {
    call,
    path: BASE,
    idOf: ({ id }) => id,
    defaultLimit: 100,
  });
  return ok({ total: visible.length, results: results.map(sequenceSummary), ...paging });
}

function get(call: ApiCall): Answer {
  const acting = actingUser(call);
  if ("refusal" in acting) return acting.refusal;
  const sequenceId = call.params["sequenceId"] ?? "";
  const sequence = visibleSequence(call.portal, sequenceId, acting.user.userId);
  if (sequence === undefined) return notFound(`No sequence ${sequenceId} for this user`);
  return ok({ ...sequenceSummary(sequence), ...sequenceDetail(sequence) });
}

function sequenceSummary({
  id,
  name,
  userId,
  folderId,
  createdAtMs,
}: SimulatedSequence): Record<string, unknown> {
  const createdAt = new Date(createdAtMs).toISOString();
  return { id, name, userId: String(userId), folderId, createdAt, updatedAt: createdAt };
}

/**
 * One enrollment, never a list: the current or the latest. What comes if there is none is an open question
 * (docs/hubspot.md §13.5).
 */
function lookUp({ world, portal, params, nowMs }: ApiCall): Answer {
  const { openQuestions } = world.settings;
  const asked = params["contactId"] ?? "";
  const contactId = portal.find(asked)?.id ?? asked;
  const latest = portal.enrollments.latestShown(contactId, nowMs);
  if (latest === undefined || !portal.contacts.has(contactId)) {
    const empty = openQuestions.neverEnrolled === 200 && portal.contacts.has(contactId);
    return empty ? ok({}) : notFound(`No enrollment of contact ${contactId}`);
  }
  if (latest.ended !== undefined && openQuestions.endedEnrollment !== "latest") {
    return openQuestions.endedEnrollment === "empty"
      ? ok({})
      : notFound(`No enrollment of contact ${contactId}`);
  }
  return ok({
    id: latest.id,
    toEmail: latest.toEmail,
    enrolledAt: new Date(latest.enrolledAtMs).toISOString(),
    updatedAt: new Date(latest.updatedAtMs).toISOString(),
    sequenceId: latest.sequenceId,
    sequenceName: latest.sequenceName,
    enrolledBy: String(latest.userId),
    enrolledByEmail: latest.senderEmail,
  });
}
