import type { Logger } from "#platform/observability/logger.js";

/** HubSpot's id of this app: as configured, otherwise as HubSpot first named it. */
export interface AppId {
  /** Undefined: not known yet. */
  readonly value: string | undefined;
  /** HubSpot named the app in an answer, or in a call that it signed. */
  heard(id: string): void;
}

/** @param options.configured what the operator set. It takes precedence over HubSpot's; a difference is logged once. */
export function createAppId({
  configured,
  logger,
}: {
  configured: string | undefined;
  logger: Logger;
}): AppId {
  let value = configured;
  let isTold = false;
  return {
    get value() {
      return value;
    },
    heard(id) {
      if (value === undefined) {
        value = id;
        logger.info({ appId: id }, "HubSpot names this app by its id");
      } else if (value !== id && !isTold) {
        isTold = true;
        logger.warn(
          { appId: id, expected: value },
          "HubSpot names another app than HUBSPOT_APP_ID; correct that variable, or leave it out",
        );
      }
    },
  };
}
