import { SitePage, type Frame } from "../frame/shell.js";
import type { ConnectionHealth, AppScopes } from "#domain/accounts/connection-health.js";
import type { OutcomeHistory } from "#domain/history/outcome-history.js";
import type { SenderLoads } from "#domain/accounts/sender-load.js";
import { Connection, type ConnectionReport } from "../frame/connection.js";
import { FindContact } from "./find-contact.js";
import { AttentionCard } from "./attention-card.js";
import { HistoryCard } from "./overview-cards.js";
import { SetupCard } from "./setup-card.js";
import type { Setup } from "./setup.js";
import type { Cause } from "#domain/history/attention/causes.js";
import { SenderLoadCard } from "./sender-load-card.js";
import { WaitingCard } from "./waiting-card.js";
import { SenderForm, type SenderFormModel } from "./default-sender-form.js";
import { Trouble, type TroubleModel } from "./trouble.js";

export interface SettingsPageModel {
  frame: Frame;
  scopes: AppScopes;
  health: ConnectionHealth;
  report: ConnectionReport | undefined;
  history: OutcomeHistory;
  causes: readonly Cause[];
  /** Undefined: everything is set up. */
  setup: Setup | undefined;
  loads: SenderLoads;
  /** Senders whom HubSpot refused, or who are at its limit. */
  troubledCount: number;
  /** Origin of the account's HubSpot UI. */
  hubspotUrl: string;
  sender: SenderFormModel;
  trouble: TroubleModel;
}

export function SettingsPage(model: SettingsPageModel) {
  const { frame, scopes, health, report, history, loads, troubledCount, sender, trouble } = model;
  const places = { portalId: frame.portal.portalId, hubspotUrl: model.hubspotUrl };
  const { format, backlog, now } = trouble;
  return (
    <SitePage title="Overview" current="/settings" frame={frame}>
      <Trouble {...trouble} />
      {model.setup === undefined ? null : (
        <SetupCard setup={model.setup} sender={sender} places={places} formToken={frame.formToken} />
      )}
      <FindContact />
      <HistoryCard history={history} format={format} />
      <div class="columns">
        <AttentionCard
          causes={model.causes}
          history={history}
          places={places}
          format={format}
          formToken={frame.formToken}
        />
        <div class="pile">
          <WaitingCard backlog={backlog} format={format} now={now} isPaused={frame.pause !== undefined} />
          <SenderLoadCard loads={loads} troubledCount={troubledCount} format={format} />
        </div>
      </div>
      <div class="columns">
        <Connection
          portal={frame.portal}
          format={format}
          scopes={scopes}
          health={health}
          report={report}
          trouble={trouble.trouble}
        />
        <SenderForm {...sender} />
      </div>
    </SitePage>
  );
}
