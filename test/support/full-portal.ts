import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { createRotation } from "#domain/policy/rotation-store.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { Database } from "#platform/db/client.js";
import { seedExecutions, type ExecutionSeed } from "./executions.js";
import { adminOf } from "./actors.js";
import { storeFlow } from "./stored-flows.js";

/** Written by somebody who means no good: markup, right to left, and far too long. */
const HOSTILE = `<script>alert("name")</script> \u202Egnol ${"verylong".repeat(1_250)}`;

/** A month of a portal at work, whose directory was read, with names that mean no good. */
export async function fillPortal(database: Database, portal: SimulatedPortal): Promise<void> {
  const portalId = BigInt(portal.portalId);
  await seedExecutions(database, await monthOf(database, portal));
  await seedExecutions(database, [
    { portalId, contactId: "150", acceptedAt: new Date(Date.now() - 7_200_000) },
    refusedContact(portal),
    { portalId, kind: "CHECK_ENROLLMENT", state: "COMPLETED", contactId: "152", decidedAt: new Date() },
    canceledContact(portalId),
  ]);
  await addTroubles(database, portal);
  await decidePolicy(database, portal);
  await addFlows(database, portal);
  await database.prisma.bulkJob.createMany({
    data: [
      {
        portalId,
        action: "RETRY",
        filter: { search: HOSTILE.slice(0, 300) },
        beforeId: 99n,
        examined: 1_000,
      },
      {
        portalId,
        action: "CANCEL",
        filter: {},
        state: "DONE",
        beforeId: 1n,
        endedAt: new Date(),
        changed: 3,
      },
    ],
  });
}

/** Workflows of every state, with all that can be gone, and names as long as HubSpot lets them be. */
async function addFlows({ pool, prisma }: Database, portal: SimulatedPortal): Promise<void> {
  const portalId = BigInt(portal.portalId);
  const { sequenceId } = await prisma.sequence.findFirstOrThrow({ where: { portalId } });
  const gone = { sequenceId: "404", senderMode: "specific_user", senderUserId: 999n, presetId: 77n };
  const steps = [{ sequenceId, senderMode: "contact_owner" }, { kind: "WAIT_FOR_SEQUENCE_END" }, gone];
  await storeFlow(pool, portalId, { flowId: "9001", name: HOSTILE.slice(0, 1_000), steps });
  const native = [{ kind: "NATIVE_ENROLL", sequenceId }, { kind: "NATIVE_UNENROLL" }];
  await storeFlow(pool, portalId, { flowId: "9002", name: "Renewals", isEnabled: false, steps: native });
  await storeFlow(pool, portalId, { flowId: "9003", name: null, isListed: false, steps: [gone] });
}

async function monthOf({ prisma }: Database, portal: SimulatedPortal): Promise<ExecutionSeed[]> {
  const portalId = BigInt(portal.portalId);
  const [sequence, other] = await prisma.sequence.findMany({ where: { portalId }, take: 2 });
  await prisma.sequence.updateMany({
    where: { portalId, sequenceId: other?.sequenceId ?? "" },
    data: { name: HOSTILE },
  });
  const senders = [...portal.users.values()].slice(0, 3);
  const outcomes: Partial<ExecutionSeed>[] = [
    ...Array.from({ length: 7 }, () => ({ enrollmentStatus: "ENROLLED" })),
    { enrollmentStatus: "ALREADY_ENROLLED" },
    { enrollmentStatus: "SKIPPED", errorCode: "COOLDOWN_ACTIVE" },
    { enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING", errorMessage: "The contact has no owner." },
    { enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED", errorMessage: "No inbox." },
  ];
  return Array.from({ length: 600 }, (_, index): ExecutionSeed => {
    const acceptedAt = new Date(Date.now() - ((index * 7_919) % 43_000) * 60_000 - 60_000);
    const outcome = outcomes[(index * 5) % outcomes.length];
    return {
      portalId,
      contactEmail: `contact-${index}@acme.example`,
      sequenceId: (index % 3 === 0 ? other : sequence)?.sequenceId ?? null,
      senderUserId: BigInt(senders[index % senders.length]?.userId ?? 1),
      workflowId: String(51_000 + (index % 4)),
      acceptedAt,
      decidedAt: new Date(acceptedAt.getTime() + 4_000 + (index % 50) * 900),
      ...outcome,
      ...(outcome?.enrollmentStatus === "ENROLLED"
        ? { enrolledAt: new Date(acceptedAt.getTime() + 4_000 + (index % 50) * 900) }
        : {}),
    };
  });
}

const canceledContact = (portalId: bigint): ExecutionSeed => ({
  portalId,
  contactId: "153",
  enrollmentStatus: "FAILED",
  errorCode: "CANCELLED",
  errorMessage: "An admin canceled this enrollment on the settings page.",
});

/** One with everything a story can tell. */
function refusedContact(portal: SimulatedPortal): ExecutionSeed {
  const senders = [...portal.users.values()].slice(1, 3).map(({ userId }) => String(userId));
  return {
    portalId: BigInt(portal.portalId),
    contactId: "151",
    contactEmail: `${HOSTILE}@x.example`,
    workflowId: "51001",
    attempts: 2,
    enrollmentStatus: "FAILED",
    errorCode: "INBOX_NOT_CONNECTED",
    errorMessage: HOSTILE.slice(0, 600),
    lastProblem: `400 ${HOSTILE.slice(0, 600)}`,
    request: { senderMode: "contact_owner", ifAlreadyEnrolled: "skip" },
    senderChoice: {
      chosen: { userId: senders[0], via: "fallback_rotation", rotationName: HOSTILE.slice(0, 100) },
      passedOver: [
        { via: "contact_owner", code: "OWNER_MISSING", reason: "The contact has no owner." },
        {
          userId: senders[1],
          via: "fallback_rotation",
          code: "SENDER_LIMIT_REACHED",
          reason: "The cap is reached.",
          freeAt: "2026-11-22T08:00:00Z",
        },
      ],
    },
  };
}

/** HubSpot is down, a sender is at the cap, somebody was let in, and alerts go somewhere. */
async function addTroubles({ prisma }: Database, portal: SimulatedPortal): Promise<void> {
  const portalId = BigInt(portal.portalId);
  const [first, second] = [...portal.users.values()].map(({ userId }) => BigInt(userId));
  const circuit = {
    circuitTrips: 2,
    circuitReason: "HubSpot is unavailable (503)",
    circuitOpenedAt: new Date(),
    circuitOpenUntil: new Date(Date.now() + 600_000),
  };
  await prisma.portalDrain.update({ where: { portalId }, data: circuit });
  const alerts = { alertWebhookUrl: "https://hooks.acme.example/alerts", alertFailurePercent: 20 };
  await prisma.portalSettings.create({ data: { portalId, ...alerts, version: 1 } });
  const refusal = { refusedCode: "INBOX_NOT_CONNECTED", refusedMessage: "No inbox.", refusedAt: new Date() };
  await prisma.senderSettings.createMany({
    data: [
      { portalId, userId: first ?? 1n, dailyCap: 4, windowDays: [] },
      { portalId, userId: second ?? 1n, windowDays: [1, 2], ...refusal },
    ],
  });
  await prisma.portalAdmin.create({ data: { portalId, userId: second ?? 1n } });
}

async function decidePolicy(database: Database, portal: SimulatedPortal): Promise<void> {
  const portalId = BigInt(portal.portalId);
  const admin = adminOf(portalId, { userEmail: HOSTILE });
  const people = [...portal.users.values()].map(({ userId }) => BigInt(userId));
  const members = people.slice(0, 4).map((userId) => ({ userId, weight: 2 }));
  const name = HOSTILE.slice(0, 100);
  await createRotation(database, admin, { name, keepsSender: true, members });
  await savePreset(database, admin, { draft: { name, policy: INITIAL_POLICY }, saved: undefined });
  await database.prisma.user.updateMany({
    where: { portalId, userId: people[2] ?? 1n },
    data: { firstName: HOSTILE, lastName: "\u202E<b>" },
  });
}
