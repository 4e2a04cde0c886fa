import { Router, type Request, type Response } from "express";
import { CONFIRM_PATH, readConfirmLink } from "#domain/alerts/confirmation-mails.js";
import { confirmAddress, readConfirmationState } from "#domain/alerts/confirmations.js";
import type { Subscription } from "#domain/alerts/opt-outs.js";
import { endOf } from "#web/kit/account-share.js";
import { MessagePage, Page, sendPage } from "#web/kit/page.js";
import { readFormBody } from "#web/kit/body/form-body.js";
import { readFields } from "#web/kit/form-fields.js";
import type { SettingsOptions } from "../session/site-options.js";
import { sendUnknownLink } from "./unknown-link.js";

type ConfirmOptions = Pick<SettingsOptions, "database" | "cipher" | "now">;

/**
 * Where the link leads by which somebody confirms that alerts may be mailed to them, without a session. GET only shows a
 * button: scanners of mail follow links, and confirm nothing by it.
 */
export function createConfirmRouter(options: ConfirmOptions): Router {
  const router = Router();
  router.get(CONFIRM_PATH, (request, response) => answer(options, request, response));
  router.post(CONFIRM_PATH, readFormBody({ maxBytes: 1_024, maxFields: 10 }), (request, response) =>
    answer(options, request, response),
  );
  return router;
}

async function answer(
  { cipher, now, ...options }: ConfirmOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const database = options.database.until(endOf(response));
  const { account, token } = request.query;
  const subscription = readConfirmLink(cipher, { account, token }, now());
  if (subscription === undefined) return sendUnknownLink(response);
  const isConfirming = request.method === "POST" && readFields(request.body).text("confirm") === "yes";
  if (isConfirming) await confirmAddress(database.pool, { kind: "mailRecipient", ...subscription });
  const standing = await readConfirmationState(database.pool, subscription);
  if (standing === "not-listed") return sendNotListed(response);
  sendPage(response, 200, <ConfirmPage {...subscription} isConfirmed={standing === "confirmed"} />);
}

function sendNotListed(response: Response): void {
  const paragraphs = ["An admin removed this address, so no alerts are sent to it. There's nothing to do."];
  sendPage(response, 404, <MessagePage title="Nothing to confirm" paragraphs={paragraphs} links={[]} />);
}

function ConfirmPage({ portalId, address, isConfirmed }: Subscription & { isConfirmed: boolean }) {
  return (
    <Page title="Email alerts">
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>{isConfirmed ? "You're getting alerts" : "Get alerts by email?"}</h1>
        <p>
          {isConfirmed ? "Confirmed: alerts" : "Alerts"} of HubSpot account {portalId.toString()}
          {isConfirmed ? " are sent to " : " will be sent to "}
          <bdi>{address}</bdi>. Each has an unsubscribe link.
        </p>
        {isConfirmed ? null : (
          <form method="post" class="actions">
            <input type="hidden" name="confirm" value="yes" />
            <button class="button primary">Yes, send me alerts</button>
          </form>
        )}
      </main>
    </Page>
  );
}
