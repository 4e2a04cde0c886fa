import { Router, type Request, type Response } from "express";
import {
  changeSubscription,
  findOptOuts,
  readSubscription,
  UNSUBSCRIBE_PATH,
} from "#domain/alerts/opt-outs.js";
import { addressKey } from "#domain/alerts/recipients.js";
import { endOf } from "#web/kit/account-share.js";
import { Page, sendPage } from "#web/kit/page.js";
import { readFormBody } from "#web/kit/body/form-body.js";
import { readFields } from "#web/kit/form-fields.js";
import type { SettingsOptions } from "../session/site-options.js";
import { sendUnknownLink } from "./unknown-link.js";

type UnsubscribeOptions = Pick<SettingsOptions, "database" | "cipher">;

/**
 * Where the link in each mailed alert leads, without a session: whoever got the mail may end it. GET only shows a button,
 * since mail programs and scanners follow links; a POST of a mail program itself ends the mails at once (RFC 8058).
 */
export function createUnsubscribeRouter(options: UnsubscribeOptions): Router {
  const router = Router();
  router.get(UNSUBSCRIBE_PATH, (request, response) => answer(options, request, response));
  router.post(UNSUBSCRIBE_PATH, readFormBody({ maxBytes: 1_024, maxFields: 10 }), (request, response) =>
    answer(options, request, response),
  );
  return router;
}

async function answer(
  { cipher, ...options }: UnsubscribeOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const database = options.database.until(endOf(response));
  const { account, token } = request.query;
  const subscription = readSubscription(cipher, { account, token });
  if (subscription === undefined) return sendUnknownLink(response);
  if (request.method === "POST") {
    const isOut = readFields(request.body).text("again") !== "yes";
    await changeSubscription(database.pool, { kind: "mailRecipient", ...subscription }, isOut);
  }
  const isOut = (await findOptOuts(database.pool, subscription.portalId)).has(
    addressKey(subscription.address),
  );
  sendPage(response, 200, <SubscriptionPage isOut={isOut} />);
}

function SubscriptionPage({ isOut }: { isOut: boolean }) {
  return (
    <Page title="Email alerts">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>{isOut ? "You're unsubscribed" : "Unsubscribe from alerts?"}</h1>
        <p>
          {isOut
            ? "You won't get alerts of this HubSpot account anymore, even if an admin adds your address again."
            : "An admin of a HubSpot account is sending you Sequence Enroller alerts."}
        </p>
        <form method="post" class="actions">
          {isOut ? <input type="hidden" name="again" value="yes" /> : null}
          <button class="button primary">{isOut ? "Subscribe again" : "Unsubscribe"}</button>
        </form>
      </main>
    </Page>
  );
}
