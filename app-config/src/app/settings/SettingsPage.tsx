/** @jsxImportSource react */
import { hubspot } from "@hubspot/ui-extensions";
import { Settings } from "./Settings.tsx";
import { createSettingsApi } from "./settings-api.ts";

/** What HubSpot loads. The address of our side comes from the profile the project was uploaded with. */
hubspot.extend<"settings">(({ context, actions }) => (
  <Settings
    api={createSettingsApi({ publicUrl: context.variables?.["PUBLIC_URL"], fetch: hubspot.fetch })}
    locale={context.user.locale}
    onSaved={(message) => actions.addAlert({ type: "success", message })}
  />
));
