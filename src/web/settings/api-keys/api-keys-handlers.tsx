import { createKey, MAX_KEYS, revokeKey } from "#domain/keys/change-keys.js";
import { listKeys } from "#domain/keys/list-keys.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, statusOf } from "../frame/form-answers.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { draftOf, EMPTY_ENTRY, readKeyEntry, type KeyEntry } from "./api-keys-entry.js";
import { ApiKeysPage } from "./api-keys-page.js";

interface KeysAnswer {
  readonly entry?: KeyEntry;
  readonly problems?: Problems;
  /** The key just made, to be shown this once. */
  readonly madeKey?: string;
}

/** GET /settings/api-keys */
export async function showKeys(exchange: Exchange): Promise<void> {
  await sendKeys(exchange, {});
}

/** POST /settings/api-keys: the answer shows the new key, and no page does again. */
export async function submitKey(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const entry = readKeyEntry(form);
  const draft = draftOf(entry, new Date());
  if ("problems" in draft) return sendKeys(exchange, { entry, problems: draft.problems });
  const made = await createKey(options.database.pool, actorOf(visit), draft);
  if (made.kind === "created") return sendKeys(exchange, { madeKey: made.key });
  const name = `This account has ${MAX_KEYS} keys already. Revoke one that is no longer used first.`;
  await sendKeys(exchange, { entry, problems: { name } });
}

/** POST /settings/api-keys/revoke */
export async function revoke(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const isRevoked = await revokeKey(options.database.pool, actorOf(visit), form.text("prefix"));
  finishForm(exchange, isRevoked ? "key-revoked" : "key-gone");
}

async function sendKeys(exchange: Exchange, answer: KeysAnswer): Promise<void> {
  const { options, visit, response } = exchange;
  const { entry = EMPTY_ENTRY, problems = {}, madeKey } = answer;
  const keys = await listKeys(options.database.pool, visit.portal.portalId);
  const model = { frame: frameOf(exchange), keys, entry, problems, madeKey };
  sendPage(response, statusOf({ problems }), <ApiKeysPage {...model} />);
}
