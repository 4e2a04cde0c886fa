import type { Database } from "#platform/db/client.js";
import type { Slices } from "#domain/executions/slices.js";
import type { Explain } from "#domain/senders/explanation.js";
import type { AccountShare } from "#web/kit/account-share.js";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { ContactProperty, PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Vault } from "#domain/vault/vault.js";
import type { Cookies } from "#web/kit/cookies.js";
import type { Sessions } from "./session.js";
import type { AppScopes } from "#domain/accounts/connection-health.js";

/** What the settings site is made of. */
export interface SettingsOptions {
  database: Database;
  sessions: Sessions;
  /** What one account may have of the site at a time. */
  shares: { readonly pages: AccountShare; readonly files: AccountShare };
  cookies: Cookies;
  scopes: AppScopes;
  /** Origin of HubSpot's UI, for portals whose own host is not known yet. */
  appUrl: string;
  /** `host:port` of the operator's own network that alerts may be posted to, by http too. */
  privateDestinations: ReadonlySet<string>;
  /** False if the operator has set no mail server: alerts go to webhooks only. */
  canMail: boolean;
  /** URL of whoever helps the admins; undefined: the operator has named nobody. */
  supportContact: string | undefined;
  /** Removes the app from the account in HubSpot; never throws. */
  uninstall: (portalId: PortalId) => Promise<"uninstalled" | "not-confirmed">;
  /** Deletes in HubSpot what the app made there, while it can; never fails. */
  removeHelper: (portalId: PortalId) => Promise<void>;
  /** What an admin's disconnect erases. */
  vault: Pick<Vault, "currentGrant" | "disconnect">;
  now: () => Date;
  /** Seals the addresses and secrets of webhooks. */
  cipher: TextCipher;
  /** Reads the account's users from HubSpot if that was not done recently; never fails. */
  renewUserList: (portalId: PortalId) => void;
  /** Tells the workers that the portal has work; never fails. */
  wake: (portalId: PortalId) => void;
  /** Takes over the rest of a change of many waiting contacts; never fails. */
  finishLater: (portalId: PortalId, rest: Slices) => void;
  /** The account's contact properties as HubSpot lists them; undefined: it does not now. Never fails. */
  contactProperties: (portalId: PortalId) => Promise<readonly ContactProperty[] | undefined>;
  /** Asks HubSpot for an account's segments while a person waits. */
  segmentsOf: (portalId: PortalId) => Pick<PortalGateway, "searchSegments">;
  /** Answers "what would happen to this contact?" without enrolling anybody. */
  explain: Explain;
}
