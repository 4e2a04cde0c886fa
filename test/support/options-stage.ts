import { afterAll, beforeAll, expect } from "@jest/globals";
import {
  PRESET_OPTIONS_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { OptionsAnswer } from "../../src/simulator/workflow/options.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "./start-app.js";

export const HOSTILE_NAMES = [
  `<script>alert("x")</script>`,
  `100% _safe_ \\ 'quoted' "twice"`,
  "'; DROP TABLE sequences; --",
  "Ünïcödé — 日本語 🚀",
  "\u202eright to left",
];

export const DEFAULT_PRESET = "The account's default preset";

export let running: RunningApp;

export let portal: SimulatedPortal;

export let other: SimulatedPortal;

/** A page and a half of rotations and presets, and one of the other account's. */
export async function seedPolicy(): Promise<void> {
  const { prisma } = running.db.database;
  const portalId = BigInt(portal.portalId);
  const names = [
    ...HOSTILE_NAMES,
    ...Array.from({ length: 70 }, (_, index) => `Team ${String(index).padStart(2, "0")}`),
  ];
  await prisma.rotation.createMany({ data: names.map((name) => ({ portalId, name })) });
  await prisma.preset.createMany({
    data: names.map((name) => ({ portalId, name, policy: INITIAL_POLICY, isDefault: name === "Team 07" })),
  });
  const foreign = { portalId: BigInt(other.portalId), name: "Only for the other" };
  await prisma.rotation.create({ data: { ...foreign, rotationId: 900_000_001n } });
  await prisma.preset.create({ data: { ...foreign, presetId: 900_000_001n, policy: INITIAL_POLICY } });
}

export const synced = async (one: SimulatedPortal): Promise<Date | null> => {
  const row = await running.db.database.prisma.portal.findUnique({
    where: { portalId: BigInt(one.portalId) },
  });
  return row?.directorySyncedAt ?? null;
};

export async function untilSynced(one: SimulatedPortal, after = new Date(0)): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    const at = await synced(one);
    if (at !== null && at > after) return;
    if (Date.now() > deadlineMs) throw new Error(`portal ${one.portalId} was not synced`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Ask {
  q?: string;
  after?: string;
  selected?: string;
  from?: SimulatedPortal;
}

export const sequences = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
  from.fetchOptions({
    optionsUrl: running.publicUrl + SEQUENCE_OPTIONS_ROUTE,
    inputFieldName: "sequence_id",
    ...(selected === undefined ? {} : { inputFields: { sequence_id: selected } }),
    ...ask,
  });

export const rotations = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
  from.fetchOptions({
    optionsUrl: running.publicUrl + ROTATION_OPTIONS_ROUTE,
    inputFieldName: "rotation_id",
    ...(selected === undefined ? {} : { inputFields: { rotation_id: selected } }),
    ...ask,
  });

export const presets = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
  from.fetchOptions({
    optionsUrl: running.publicUrl + PRESET_OPTIONS_ROUTE,
    inputFieldName: "preset_id",
    ...(selected === undefined ? {} : { inputFields: { preset_id: selected } }),
    ...ask,
  });

export const senders = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
  from.fetchOptions({
    optionsUrl: running.publicUrl + SENDER_OPTIONS_ROUTE,
    inputFieldName: "sender_user_id",
    ...(selected === undefined ? {} : { inputFields: { sender_user_id: selected } }),
    ...ask,
  });

export async function allPages(
  list: typeof sequences,
  ask: Ask = {},
): Promise<OptionsAnswer["options"][number][]> {
  const seen: OptionsAnswer["options"][number][] = [];
  let after: string | undefined;
  do {
    const page = await list({ ...ask, ...(after === undefined ? {} : { after }) });
    expect(page.status).toBe(200);
    seen.push(...page.options);
    after = page.after;
  } while (after !== undefined);
  return seen;
}

export const labels = (answer: OptionsAnswer): string[] => answer.options.map(({ label }) => label);

export async function postRaw(route: string, body: string, headers?: Record<string, string>) {
  const url = running.publicUrl + route;
  const signed = headers ?? running.simulator.sign({ method: "POST", url, body });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...signed },
    body,
  });
  return { status: response.status, text: await response.text() };
}

/** An app for a whole test file, with two accounts that have policy, and what HubSpot asks for them. */
export function useOptionsStage(): void {
  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { sequences: 125 });
    for (const name of HOSTILE_NAMES) portal.addSequence({ name });
    other = addPlainPortal(running.simulator, {
      sequences: [{ id: "900000001", name: "Only for the other" }],
      users: 2,
    });
    await running.install(portal);
    await running.install(other);
    await untilSynced(portal);
    await untilSynced(other);
    await seedPolicy();
  });

  afterAll(() => running.close());
}
