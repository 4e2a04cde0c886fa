import { SitePage, type Frame } from "../shell.js";
import { Activity, type ActivityModel } from "./activity.js";
import { Connection, type AppScopes } from "./connection.js";
import { SenderForm, type SenderFormModel } from "./sender-form.js";
import { Trouble, type TroubleModel } from "./trouble.js";

export interface SettingsPageModel {
  frame: Frame;
  scopes: AppScopes;
  sender: SenderFormModel;
  activity: ActivityModel;
  trouble: TroubleModel;
}

export function SettingsPage(model: SettingsPageModel) {
  const { frame, scopes, sender, activity, trouble } = model;
  return (
    <SitePage title="Overview" current="/settings" frame={frame}>
      <div class="columns">
        <Connection portal={frame.portal} format={activity.format} scopes={scopes}>
          <Trouble {...trouble} />
        </Connection>
        <SenderForm {...sender} />
      </div>
      <Activity {...activity} />
    </SitePage>
  );
}
