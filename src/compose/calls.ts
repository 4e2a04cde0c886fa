import type { Express } from "express";
import { readHoldSettings } from "#domain/senders/hold-settings.js";
import { createActionsRouter } from "#web/actions/action-routes.js";
import { ActionTypeNotes } from "#domain/flows/action-types.js";
import { requestFlows } from "#domain/flows/flow-state.js";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { readFirstAnswer } from "#domain/executions/accept/first-answer.js";
import { AccountShare } from "#web/kit/account-share.js";
import type { Foundation } from "./foundation.js";
import { traceCalls } from "./trace-work.js";
import { HOUR_MS } from "#platform/time/units.js";

/** Opening a dropdown renews a directory older than this. */
const DIRECTORY_MIN_AGE_MS = 60_000;
/**
 * A step in the workflow editor opens a few at once; each takes some milliseconds. They share the calls' connections.
 */
const DROPDOWNS_OF_AN_ACCOUNT = { inHand: 2, waiting: 20, patienceMs: 1_500 };

/** Routes of the hot path first, before any middleware they do not need. */
export function mountActions(http: Express, foundation: Foundation): void {
  const { config, logger, database, directory, metrics, wake } = foundation;
  const accept = createAcceptor({
    pool: database.pool,
    deadlineHours: config.executionDeadlineHours,
    onStored: wake,
  });
  const actionTypes = openActionTypes(foundation);
  const { withTrace, ...traced } = traceCalls(foundation.tracing);
  http.use(
    createActionsRouter({
      ...traced,
      onActionType: (portalId, kind, definition) => {
        actionTypes.heard(portalId, kind, definition);
      },
      accept: async (execution) => {
        const begunMs = performance.now();
        try {
          const result = await accept(withTrace(execution));
          metrics.accepted.inc({ result });
          metrics.acceptSeconds.observe((performance.now() - begunMs) / 1_000);
          return result;
        } catch (error) {
          metrics.accepted.inc({ result: "failed" });
          throw error;
        }
      },
      applyChanges: (changes) => applyContactChanges(database.pool, changes),
      wake,
      readHoldSettings: (portalId) => readHoldSettings(database.pool, portalId),
      readFirstAnswer: (call) => readFirstAnswer(database.pool, call),
      database,
      dropdowns: new AccountShare(DROPDOWNS_OF_AN_ACCOUNT),
      clientSecrets: config.hubspot.clientSecrets,
      publicUrl: config.publicUrl,
      nowMs: Date.now,
      logger,
      onBadV3: tellOfBadV3({ metrics, logger }),
      onRefused: (reason) => {
        metrics.signaturesRefused.inc({ reason });
      },
      onOptionsAsked: (portalId) => {
        directory
          .requestSync(portalId, { minAgeMs: DIRECTORY_MIN_AGE_MS })
          .then((isAsked) => {
            if (isAsked) wake(portalId);
          })
          .catch((error: unknown) => {
            logger.warn({ err: error, portalId }, "a directory sync could not be asked for");
          });
      },
    }),
  );
}

/** Learns HubSpot's numbers of our actions; with a new one the workflows of the portal that called are read again. */
function openActionTypes({ logger, database: { pool }, wake }: Foundation): ActionTypeNotes {
  return new ActionTypeNotes({
    pool,
    onNew: (portalId) => {
      requestFlows(pool, portalId, { minAgeMs: 0 })
        .then((isAsked) => {
          if (isAsked) wake(portalId);
        })
        .catch((error: unknown) => {
          logger.warn({ err: error, portalId }, "a reading of the workflows could not be asked for");
        });
    },
    onFault: (error) => {
      logger.warn(
        { err: error },
        "HubSpot's number of an action could not be stored; the next call brings it again",
      );
    },
  });
}

/** Each is counted; the log mentions it once an hour, because either all calls are affected or none. */
function tellOfBadV3({ metrics, logger }: Pick<Foundation, "metrics" | "logger">): (path: string) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (path) => {
    metrics.badV3Signatures.inc();
    if (performance.now() - toldAtMs < HOUR_MS) return;
    toldAtMs = performance.now();
    logger.warn(
      { path },
      "a call from HubSpot was accepted by its v2 signature, while its v3 does not match",
    );
  };
}
