import { afterAll, beforeAll } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import type { SimulatedUser } from "../../src/simulator/portal/model.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { Execution } from "../../src/simulator/workflow/execution.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "./start-app.js";

export let running: RunningApp;

/** A connected portal, and what its admin can decide. */
export class Stage {
  readonly portal: SimulatedPortal;
  readonly sequenceIds: readonly string[];
  /** Who could send when the portal was opened. */
  readonly users: readonly SimulatedUser[];

  private constructor(portal: SimulatedPortal) {
    this.portal = portal;
    this.sequenceIds = [...portal.sequences.keys()];
    this.users = [...portal.senders];
  }

  static async open(contacts = 0): Promise<Stage> {
    const portal = addPlainPortal(running.simulator, { contacts });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
    return new Stage(portal);
  }

  get id(): bigint {
    return BigInt(this.portal.portalId);
  }

  get prisma() {
    return running.db.database.prisma;
  }

  async query<T>(text: string, values: unknown[] = []): Promise<T[]> {
    const { rows } = await running.db.database.pool.query(text, [this.portal.portalId, ...values]);
    return rows as T[];
  }

  user(index: number): SimulatedUser {
    return this.users[index] as SimulatedUser;
  }

  contactOf(user: SimulatedUser, properties: Record<string, string | null> = {}): string {
    const { ownerId } = this.portal.ownerOfUser(user.userId);
    return this.portal.addContact({ properties: { hubspot_owner_id: ownerId, ...properties } }).id;
  }

  settings(data: {
    defaultSenderUserId?: bigint;
    onlyListedSenders?: boolean;
    pausedAt?: Date | null;
    maxHoldDays?: number;
  }) {
    const { id: portalId } = this;
    return this.prisma.portalSettings.upsert({
      where: { portalId },
      create: { portalId, ...data },
      update: data,
    });
  }

  sender(user: SimulatedUser, data: Parameters<Stage["prisma"]["senderSettings"]["update"]>[0]["data"]) {
    const key = { portalId: this.id, userId: BigInt(user.userId) };
    return this.prisma.senderSettings.upsert({
      where: { portalId_userId: key },
      create: { ...key, ...(data as object) },
      update: data,
    });
  }

  senderRow(user: SimulatedUser) {
    return this.prisma.senderSettings.findUnique({
      where: { portalId_userId: { portalId: this.id, userId: BigInt(user.userId) } },
    });
  }

  async rotation(users: readonly SimulatedUser[], keepsSender = false): Promise<string> {
    const { rotationId } = await this.prisma.rotation.create({
      data: {
        portalId: this.id,
        name: `Rotation ${users.map(({ userId }) => userId).join(" ")} ${keepsSender}`,
        keepsSender,
        members: { create: users.map(({ userId }) => ({ userId: BigInt(userId) })) },
      },
    });
    return String(rotationId);
  }

  async preset(changes: Partial<Policy>, isDefault = true): Promise<string> {
    if (isDefault) await this.prisma.preset.deleteMany({ where: { portalId: this.id, isDefault } });
    const { presetId } = await this.prisma.preset.create({
      data: {
        portalId: this.id,
        name: `Preset ${Math.random()}`,
        policy: { ...INITIAL_POLICY, ...changes },
        isDefault,
      },
    });
    return String(presetId);
  }

  run(contactIds: readonly string[], inputs: Record<string, string> = {}): WorkflowRun {
    return this.portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...contactIds],
      inputs: { sequence_id: this.sequenceIds[0] ?? "", sender_mode: "contact_owner", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  /** One contact through the action, to its end. */
  async enroll(contactId: string, inputs: Record<string, string> = {}): Promise<Execution["outputs"]> {
    const run = this.run([contactId], inputs);
    await run.finished;
    return run.executionOf(contactId).outputs;
  }

  posts(contactId: string): number {
    return this.portal.enrollments.factsOf(contactId).posts;
  }

  async waiting(contactId: string): Promise<{ due_in_s: number; last_problem: string; attempts: number }> {
    for (;;) {
      const [row] = await this.query<{ due_in_s: number; last_problem: string; attempts: number }>(
        `SELECT extract(epoch FROM due_at - now())::float8 AS due_in_s, last_problem, attempts FROM executions
          WHERE portal_id = $1 AND contact_id = $2 AND state = 'QUEUED' AND due_at > now() + interval '1 second'`,
        [contactId],
      );
      if (row !== undefined) return row;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async choiceOf(contactId: string) {
    const [row] = await this.query<{ sender_choice: { chosen: unknown; passedOver: { code: string }[] } }>(
      `SELECT sender_choice FROM executions WHERE portal_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT 1`,
      [contactId],
    );
    return row?.sender_choice;
  }

  /** As if the user had enrolled this many contacts that long ago. */
  sentBefore(user: SimulatedUser, count: number, ago: string) {
    return this.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request, enrollment_status,
                               sender_user_id, enrolled_at)
       SELECT $1, gen_random_uuid(), 'ENROLL', 'COMPLETED', now(), '1', '{}', 'ENROLLED', $2, now() - $4::interval
         FROM generate_series(1, $3::int)`,
      [user.userId, count, ago],
    );
  }
}

export const waitForNobody = { ...INITIAL_POLICY.fallback, whenNobody: "fail" as const };

/** HubSpot delivers the very call again; its answer. */
export async function redeliver(run: WorkflowRun, contactId: string): Promise<string> {
  const { payload: body = "" } = run.executionOf(contactId);
  const url = running.publicUrl + ENROLL_ROUTE;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...running.simulator.sign({ method: "POST", url, body }) },
    body,
  });
  return response.text();
}

/** An app for a whole test file. */
export function usePolicyStage(): void {
  beforeAll(async () => {
    running = await startRunningApp();
  });

  afterAll(() => running.close());
}
