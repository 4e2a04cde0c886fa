import type { AnyEndpoint } from "./kit/endpoint.js";
import { createUnenrollContact } from "./v1/contacts/[id]/unenroll-post.js";
import {
  createGetContactEnrollment,
  type GetContactEnrollmentOptions,
} from "./v1/contacts/[id]/enrollment/get.js";
import { createCancelEnrollment } from "./v1/enrollments/[id]/cancel-post.js";
import { createGetEnrollment } from "./v1/enrollments/[id]/get.js";
import { createReadStory } from "./v1/enrollments/[id]/story/get.js";
import { createRetryEnrollment } from "./v1/enrollments/[id]/retry-post.js";
import { createPostBatch } from "./v1/enrollments/batch/post.js";
import { createPostEnrollment, type CreateEnrollmentOptions } from "./v1/enrollments/post.js";
import { createListEnrollments } from "./v1/enrollments/get.js";
import { createPostCloseRead } from "./v1/close-reads/post.js";
import { createDeleteImport } from "./v1/imports/[id]/delete.js";
import { createGetImport } from "./v1/imports/[id]/get.js";
import { createPatchImport } from "./v1/imports/[id]/patch.js";
import { createGetImportResults } from "./v1/imports/[id]/results-get.js";
import { createMoveImport } from "./v1/imports/[id]/verbs-post.js";
import { createListImports } from "./v1/imports/get.js";
import { createPostImport } from "./v1/imports/post.js";
import { createListPresets } from "./v1/presets/get.js";
import { createListRotations } from "./v1/rotations/get.js";
import { createListSenders } from "./v1/senders/get.js";
import { createGetUnenrollment } from "./v1/unenrollments/[id]/get.js";
import { createGetSequence } from "./v1/sequences/[id]/get.js";
import { createListSequences } from "./v1/sequences/get.js";
import { createReadStats } from "./v1/stats/get.js";
import { createListWorkflows } from "./v1/workflows/get.js";
import { createEnrollInWorkflow } from "./v1/workflows/[flowId]/enrollments-post.js";
import type { WebhookTools } from "./v1/webhook-subscriptions/shapes.js";
import { createWebhookEndpoints } from "./webhook-endpoints.js";

/** The table of the API's endpoints: one file for each, named by its address and method. */
export function createEndpoints(
  options: CreateEnrollmentOptions & GetContactEnrollmentOptions & WebhookTools,
): readonly AnyEndpoint[] {
  return [
    createListEnrollments(),
    createPostEnrollment(options),
    createPostBatch(options),
    createGetEnrollment(),
    createCancelEnrollment(options),
    createRetryEnrollment(options),
    createReadStory(),
    createUnenrollContact(options),
    createGetUnenrollment(),
    createReadStats(),
    createGetContactEnrollment(options),
    createListSequences(),
    createGetSequence(options),
    createListSenders(),
    createListPresets(),
    createListRotations(),
    createListWorkflows(),
    createEnrollInWorkflow(options),
    ...createWebhookEndpoints(options),
    ...importEndpoints(options),
  ];
}

function importEndpoints(options: Pick<WebhookTools, "cipher">): readonly AnyEndpoint[] {
  return [
    createPostCloseRead(options),
    createPostImport(),
    createListImports(),
    createGetImport(),
    createPatchImport(),
    createDeleteImport(),
    ...createMoveImport(),
    createGetImportResults(),
  ];
}
