import { readSetupFacts, type SetupFacts } from "#domain/accounts/setup-facts.js";
import { findAlertSettings, type StoredAlertSettings } from "#domain/alerts/alert-settings.js";
import type { Exchange } from "../frame/exchange.js";

/** How far an account has got in setting the app up. All of it is read from what is there; nothing is ticked off by hand. */
export interface Setup extends SetupFacts {
  /** Whether HubSpot's sequences and users are known. */
  readonly isRead: boolean;
  /** Users of whom HubSpot said that they cannot send. */
  readonly troubled: number;
  readonly hasDefaultSender: boolean;
  readonly alerts: StoredAlertSettings;
  readonly canMail: boolean;
}

/** In the order in which they are done. */
export const SETUP_STEPS = ["connected", "senders", "default-sender", "alerts", "workflow"] as const;
export type SetupStep = (typeof SETUP_STEPS)[number];

const DONE: Readonly<Record<SetupStep, (setup: Setup) => boolean>> = {
  connected: ({ isRead }) => isRead,
  senders: ({ isRead, users, troubled }) => isRead && users > troubled,
  "default-sender": ({ hasDefaultSender }) => hasDefaultSender,
  alerts: ({ alerts }) => alerts.email !== null || alerts.webhookUrl !== null,
  workflow: ({ isInWorkflow }) => isInWorkflow,
};

export function isDone(step: SetupStep, setup: Setup): boolean {
  return DONE[step](setup);
}

const COOKIE = "setup";
const YEAR_S = 365 * 86_400;

const hiddenFor = ({ visit }: Exchange): string => `hidden-${visit.portal.portalId}`;

/** For this browser and this account; elsewhere the list is still of use. */
export function hideSetup(exchange: Exchange): void {
  const { options, response } = exchange;
  options.cookies.set(response, { name: COOKIE, value: hiddenFor(exchange), maxAgeSeconds: YEAR_S });
}

/** Undefined once everything is done, or the list was hidden. */
export async function readSetupProgress(
  exchange: Exchange,
  known: Pick<Setup, "troubled" | "hasDefaultSender">,
): Promise<Setup | undefined> {
  const { options, visit, request } = exchange;
  if (options.cookies.read(request, COOKIE) === hiddenFor(exchange)) return undefined;
  const { pool } = options.database;
  const { portalId, directorySyncedAt } = visit.portal;
  const [facts, alerts] = await Promise.all([
    readSetupFacts(pool, portalId),
    findAlertSettings({ database: pool, cipher: options.cipher }, portalId),
  ]);
  const setup = {
    ...facts,
    ...known,
    isRead: directorySyncedAt !== null,
    alerts,
    canMail: options.canMail,
  };
  return SETUP_STEPS.every((step) => isDone(step, setup)) ? undefined : setup;
}
