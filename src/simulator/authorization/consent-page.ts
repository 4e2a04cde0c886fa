import type { SimulatedPortal } from "../portal.js";
import { escapeHtml, layout } from "../pages/layout.js";
import type { AuthorizeRequest } from "./authorize.js";

/** More would make the page unusable; tests choose in code, not here. */
const PORTALS_SHOWN = 50;

interface ConsentModel {
  readonly appName: string;
  readonly portals: readonly SimulatedPortal[];
  /** Where the form goes. */
  readonly action: string;
}

/** The page on which a person chooses the account and allows or denies the app. */
export function consentPage(request: AuthorizeRequest, { appName, portals, action }: ConsentModel): string {
  const shown = portals.filter(
    ({ portalId }) => request.portalId === undefined || request.portalId === portalId,
  );
  return layout(
    `Connect ${appName} to HubSpot`,
    `<p><strong>${escapeHtml(appName)}</strong> asks for access to a HubSpot account.</p>
<form method="post" action="${escapeHtml(action)}">
<label for="identity">Account and user</label>
<select id="identity" name="identity">${shown.slice(0, PORTALS_SHOWN).map(portalOptions).join("")}</select>
<p>${escapeHtml(appName)} will be able to:</p>
<ul>${request.scopes.map((scope) => scopeItem(scope)).join("")}${request.optionalScopes
      .map((scope) => scopeItem(scope, " (optional)"))
      .join("")}</ul>
<p class="buttons"><button name="decision" value="allow">Connect app</button>
<button name="decision" value="deny" class="quiet">Cancel</button></p>
</form>`,
  );
}

/** What a scope lets an app do, for people; one that is not listed is shown as it is. */
const SCOPE_WORDS: Readonly<Record<string, string>> = {
  oauth: "Know the account and the user who connects it",
  automation: "See workflows, and complete their custom actions",
  "automation.sequences.read": "See sequences and who is enrolled in them",
  "automation.sequences.enrollments.write": "Enroll contacts in sequences",
  "crm.objects.contacts.read": "See contacts and their properties",
  "crm.objects.contacts.write": "Change contacts' properties",
  "crm.schemas.contacts.write": "Add contact properties",
  "crm.objects.owners.read": "See contact owners",
  "crm.lists.read": "See segments and their members",
  "settings.users.read": "See the account's users and their seats",
  "communication_preferences.read": "See contacts' email subscriptions",
};

function scopeItem(scope: string, remark = ""): string {
  const code = `<code>${escapeHtml(scope)}</code>`;
  const words = SCOPE_WORDS[scope];
  return `<li>${words === undefined ? code : `${words} ${code}`}${remark}</li>`;
}

export function authorizeErrorPage(reason: string): string {
  return layout("Authorization failed", `<p>${escapeHtml(reason)}</p><p>Contact the app's developer.</p>`);
}

export function installedPage(portalId: number, isInstalled: boolean): string {
  return isInstalled
    ? layout("App installed", `<p>The app is connected to account ${portalId}.</p>`)
    : layout("App not installed", `<p>The app has not finished connecting to account ${portalId}.</p>`);
}

function portalOptions({ portalId, traits, users }: SimulatedPortal): string {
  const options = [...users.values()]
    .filter(({ active }) => active)
    .map(({ userId, firstName, lastName, superAdmin }) => {
      const label = `${traits.name}: ${firstName} ${lastName}${superAdmin ? " (super admin)" : ""}`;
      return `<option value="${portalId}:${userId}">${escapeHtml(label)}</option>`;
    });
  return `<optgroup label="${escapeHtml(`${traits.name} (${portalId})`)}">${options.join("")}</optgroup>`;
}
