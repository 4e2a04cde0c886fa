import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readEnrollment, readEnrollments } from "#domain/enrollments/read-enrollments.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

const PORTAL = 7_001n;
const OTHER = 7_002n;
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  const { prisma } = db.database;
  await prisma.sequence.create({
    data: { portalId: PORTAL, sequenceId: "51", name: "Inbound", isListed: true },
  });
  await prisma.user.create({
    data: {
      portalId: PORTAL,
      userId: 77n,
      firstName: "Ada",
      lastName: "Brandt",
      email: "ada@acme.example",
      superAdmin: false,
      isListed: true,
    },
  });
});

afterAll(() => db.drop());

/** Stores one execution and reads it as an enrollment. */
async function shown(seed: Partial<ExecutionSeed>) {
  await seedExecutions(db.database, [{ portalId: PORTAL, ...seed }]);
  const { id } = await db.database.prisma.execution.findFirstOrThrow({ orderBy: { id: "desc" } });
  return readEnrollment(db.database.pool, PORTAL, id);
}

const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

test("an enrollment is shown with the names of its sequence and its sender", async () => {
  const enrolledAt = new Date("2026-11-20T10:00:00.123Z");
  const enrollment = await shown({
    enrollmentStatus: "ENROLLED",
    contactId: "901",
    contactEmail: "lee@lead.example",
    sequenceId: "51",
    senderUserId: 77n,
    workflowId: "5",
    enrolledAt,
  });
  expect(enrollment).toMatchObject({
    source: "workflow",
    status: "ENROLLED",
    reason: null,
    contact: { id: "901", email: "lee@lead.example" },
    sequence: { id: "51", name: "Inbound" },
    sender: { userId: "77", name: "Ada Brandt", email: "ada@acme.example" },
    workflowId: "5",
    importId: null,
    reference: null,
    enrolledAt: "2026-11-20T10:00:00.123Z",
    dueAt: null,
    ended: null,
  });
  expect(enrollment?.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("of a contact whose data was erased, neither id nor address is shown", async () => {
  const enrollment = await shown({ enrollmentStatus: "FAILED", contactId: "erased" });
  expect(enrollment?.contact).toEqual({ id: null, email: null });
});

test.each<[string, Partial<ExecutionSeed>, string]>([
  ["is due now", { state: "QUEUED" }, "QUEUED"],
  ["is tried again after a fault", { state: "QUEUED", dueAt: inAnHour(), attempts: 1 }, "QUEUED"],
  ["is a retry that was not begun", { state: "UNCERTAIN" }, "QUEUED"],
  ["has a date", { state: "QUEUED", dueAt: inAnHour(), request: { notBefore: "2030-01-01" } }, "WAITING"],
  [
    "waits for a sender's cap",
    { state: "QUEUED", dueAt: inAnHour(), senderChoice: { chosen: null, passedOver: [] } },
    "WAITING",
  ],
  ["waits for the end of a sequence", { state: "WATCHING" }, "WAITING"],
  ["is being sent", { state: "ATTEMPTING", attempts: 1 }, "SENDING"],
  ["was sent, and the answer was lost", { state: "UNCERTAIN", attempts: 1 }, "SENDING"],
])("the status of what %s", async (_, seed, status) => {
  const enrollment = await shown(seed);
  expect(enrollment?.status).toBe(status);
  expect(enrollment?.dueAt === null).toBe(status !== "WAITING");
});

test("what was canceled is distinguished from what failed, each with its reason", async () => {
  const reason = { code: "CANCELLED", message: "An admin canceled it." };
  const seed = { enrollmentStatus: "FAILED", errorMessage: reason.message };
  const canceled = await shown({ ...seed, errorCode: "CANCELLED" });
  expect(canceled).toMatchObject({ status: "CANCELLED", reason });
  const failed = await shown({ ...seed, errorCode: "BOUNCED" });
  expect(failed).toMatchObject({ status: "FAILED", reason: { code: "BOUNCED" } });
});

test("what another account enrolled, and calls of other actions, are no enrollments of this one", async () => {
  await seedExecutions(db.database, [
    { portalId: OTHER, enrollmentStatus: "ENROLLED" },
    { portalId: PORTAL, kind: "CHECK_ENROLLMENT" },
  ]);
  const rows = await db.database.prisma.execution.findMany({ orderBy: { id: "desc" }, take: 2 });
  const found = await readEnrollments(
    db.database.pool,
    PORTAL,
    rows.map(({ id }) => id),
  );
  expect(found.size).toBe(0);
});
