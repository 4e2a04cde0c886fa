import type { SimulatedPortal } from "../portal.js";
import type { AuthorizeRequest } from "./authorize.js";

/** More would make the page unusable; tests choose in code, not here. */
const PORTALS_SHOWN = 50;

/** The page on which a person chooses the account and allows or denies the app. */
export function consentPage(
  request: AuthorizeRequest,
  portals: readonly SimulatedPortal[],
  action: string,
): string {
  const shown = portals.filter(
    ({ portalId }) => request.portalId === undefined || request.portalId === portalId,
  );
  return layout(
    "Connect an app",
    `<p>An app asks for access to a simulated HubSpot account.</p>
<form method="post" action="${escapeHtml(action)}">
<label for="identity">Account and user</label>
<select id="identity" name="identity">${shown.slice(0, PORTALS_SHOWN).map(portalOptions).join("")}</select>
<p>It will be able to use:</p>
<ul>${request.scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join("")}${request.optionalScopes
      .map((scope) => `<li><code>${escapeHtml(scope)}</code> (optional)</li>`)
      .join("")}</ul>
<p class="buttons"><button name="decision" value="allow">Connect app</button>
<button name="decision" value="deny" class="quiet">Cancel</button></p>
</form>`,
  );
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

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f5f8fa;color:#213343}
main{max-width:34rem;margin:4rem auto;padding:2rem;background:#fff;border:1px solid #cbd6e2;border-radius:6px}
h1{font-size:1.4rem;margin-top:0}label{display:block;font-weight:600}select{width:100%;padding:.5rem;font:inherit}
button{font:inherit;padding:.6rem 1.2rem;border:1px solid #c93700;border-radius:4px;background:#c93700;color:#fff}
button.quiet{background:#fff;color:#213343;border-color:#7c98b6}.note{color:#516f90;font-size:.85rem}`;

function layout(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} - simulated HubSpot</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${content}
<p class="note">This is a simulation of HubSpot for development. No real account is involved.</p></main></body></html>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
