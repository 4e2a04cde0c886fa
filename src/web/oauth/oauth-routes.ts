import { Router } from "express";
import { beginFromMarketplace, createBegin, type BeginOptions } from "./begin-install.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import { EXCHANGE_LIMITS, guardExchange, type ExchangeGuard, type ExchangeLimits } from "./exchange-guard.js";
import { finishInstall, INSTALLED_PATH, type FinishOptions } from "./finish-install.js";
import { sendInstalled } from "./pages.js";

/** The address registered with HubSpot as the app's redirect URL. */
export const CALLBACK_PATH = "/oauth/callback";

/** HubSpot's token endpoint is asked three times at most, with ten seconds each. */
const ANSWER_MS = 30_000;

/**
 * | route | |
 * | --- | --- |
 * | GET /oauth/install | to HubSpot's consent page; `?portalId=` pre-selects an account |
 * | GET /settings/sign-in | the same round trip, to find out who sits at the browser |
 * | GET /oauth/callback | `code`+`state` (own install), `step=authorize`, `step=finalize`, `code` alone; docs/hubspot.md §2.2 |
 * | GET /settings/installed | end of an install that could not be tied to a browser |
 */
export function createOAuthRouter(options: BeginOptions & Omit<FinishOptions, "exchanges">): Router {
  const router = Router();
  const guardWith = (limits: ExchangeLimits): ExchangeGuard =>
    guardExchange({
      exchangeCode: (code) => options.oauthApi.exchangeCode(code),
      nowMs: () => performance.now(),
      limits,
    });
  const exchanges = {
    browser: guardWith(EXCHANGE_LIMITS.browser),
    stranger: guardWith(EXCHANGE_LIMITS.stranger),
  };
  router.use("/oauth", createAnswerLimit({ ms: ANSWER_MS }));
  // Express answers HEAD by GET's handler; a link checker must not use up a code or a state.
  router.head(["/oauth/install", "/settings/sign-in", CALLBACK_PATH], (_request, response) => {
    response.set("Allow", "GET").sendStatus(405);
  });
  router.get("/oauth/install", createBegin(options, "install"));
  router.get("/settings/sign-in", createBegin(options, "sign-in"));
  router.get(CALLBACK_PATH, async (request, response) => {
    if (request.query["step"] === "authorize") return beginFromMarketplace(options, request, response);
    await finishInstall({ ...options, exchanges }, request, response);
  });
  router.get(INSTALLED_PATH, (_request, response) => sendInstalled(response));
  return router;
}
