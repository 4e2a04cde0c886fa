import { z } from "zod";
import { readStory, type ExecutionStory } from "#domain/history/execution-story.js";
import { CANDIDATE_VIAS } from "#domain/contract/sender-choice.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter, timeField } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";

const nullableText = z.string().nullable();
const via = z.enum(CANDIDATE_VIAS).describe("How this sender came to be considered.");
const values = z.record(z.string(), z.string());

const storyAnswer = z.object({
  id: z.string(),
  outcome: z.string(),
  candidates: z
    .array(
      z.object({
        userId: nullableText,
        name: nullableText,
        via,
        isChosen: z.boolean(),
        reason: z.object({ code: z.string(), message: z.string() }).nullable(),
        freeAt: nullableText.describe("When this sender can send, if only time is in the way."),
      }),
    )
    .describe("Senders in the order in which they were considered."),
  moreCandidates: z.int().describe("How many more were passed over without being listed."),
  attempts: z.object({
    count: z.int(),
    retries: z.int(),
    firstAt: timeField.nullable(),
    nextAt: timeField.nullable(),
    lastProblem: nullableText.describe("Why the last attempt did not succeed."),
  }),
  decision: z
    .object({
      at: timeField,
      enrolledAt: timeField.nullable(),
      hubspotEnrollmentId: nullableText,
      reason: z.object({ code: z.string(), message: nullableText }).nullable(),
    })
    .nullable()
    .describe("Null while it is not decided."),
  inputs: values.describe("What the step or the request asked for."),
  outputs: values,
  retryOf: nullableText,
  retriedBy: z.array(z.string()).describe("Enrollments that retried this one, the oldest first."),
});

/** `GET /enrollments/{id}/story`. */
export function createReadStory(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/enrollments/{id}/story",
    operationId: "getEnrollmentStory",
    tag: "Enrollments",
    scope: "enrollments:read",
    summary: "Get the story of an enrollment",
    description: "Every candidate, attempt and decision, as the settings site tells them.",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "The story.", schema: storyAnswer } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const story = await readStory(database.pool, actor.portalId, BigInt(params.id));
      if (story?.kind !== "ENROLL") return refusal("NOT_FOUND");
      return { status: 200, body: toldStory(story) };
    },
  });
}

function toldStory(story: ExecutionStory) {
  return {
    id: story.id.toString(),
    outcome: story.outcome,
    candidates: candidatesOf(story),
    moreCandidates: story.senderChoice?.morePassedOver ?? 0,
    attempts: {
      count: story.attempts,
      retries: story.retries,
      firstAt: timeOf(story.firstAttemptAt),
      nextAt: story.decidedAt === null ? timeOf(story.dueAt) : null,
      lastProblem: story.lastProblem,
    },
    decision: decisionOf(story),
    inputs: Object.fromEntries(story.inputs),
    outputs: Object.fromEntries(story.outputs),
    retryOf: story.retryOf?.toString() ?? null,
    retriedBy: story.retriedBy.map(({ id }) => id.toString()),
  };
}

function candidatesOf({ senderChoice, people }: ExecutionStory) {
  if (senderChoice === undefined) return [];
  const { chosen, passedOver } = senderChoice;
  const named = (userId: string | undefined) => ({
    userId: userId ?? null,
    name: people.get(userId ?? "") ?? null,
  });
  const others = passedOver.map(({ userId, via, code, reason: message, freeAt = null }) => ({
    ...named(userId),
    via,
    isChosen: false,
    reason: { code, message },
    freeAt,
  }));
  if (chosen === null) return others;
  const { userId, via } = chosen;
  return [...others, { ...named(userId), via, isChosen: true, reason: null, freeAt: null }];
}

function decisionOf({ decidedAt, enrolledAt, enrollmentId, errorCode, errorMessage }: ExecutionStory) {
  if (decidedAt === null) return null;
  return {
    at: decidedAt.toISOString(),
    enrolledAt: timeOf(enrolledAt),
    hubspotEnrollmentId: enrollmentId,
    reason: errorCode === null ? null : { code: errorCode, message: errorMessage },
  };
}

const timeOf = (moment: Date | null): string | null => moment?.toISOString() ?? null;
