import { randomUUID } from "node:crypto";
import { sendPage } from "#web/kit/page.js";
import { readId } from "#web/kit/form-fields.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { findActivePerson, listActivePeople, unnamed } from "#domain/directory/people.js";
import {
  findPortalPolicy,
  savePortalPolicy,
  type StoredPortalPolicy,
} from "#domain/policy/portal-policy-store.js";
import {
  addDefaultSenderTo,
  listWithDefaultSender,
  listWithoutDefaultSender,
} from "#domain/policy/fallback-presets.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { lookAgain } from "../frame/look-again.js";
import { frameOf, SitePage } from "../frame/shell.js";
import { submitVersioned, type FormState } from "../frame/versioned-form.js";
import { actorOf } from "../session/visit.js";
import { Conflict } from "../words/change-table.js";
import { describeChanges } from "../words/changes.js";
import { readNameable } from "../words/names.js";
import { SenderForm } from "./default-sender-form.js";

/** `POST /settings/default-sender`: an empty `sender_user_id` is nobody. */
export async function changeDefaultSender(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const chosen = form.text("sender_user_id");
  const userId = chosen === "" ? null : readId(chosen);
  if (userId === undefined) return finishForm(exchange, "sender-unknown");
  await submitVersioned(exchange, {
    entry: userId,
    parsed: { draft: userId },
    save: async (draft, version) => {
      const undoKey = randomUUID();
      const change = { policy: { defaultSenderUserId: draft }, shown: { version }, undoKey };
      const outcome = await savePortalPolicy(database, actorOf(visit), change);
      if (outcome === "unknown-sender") return { notice: "sender-unknown" };
      if (outcome !== "saved") return "changed-meanwhile";
      const left = await addDefaultSenderTo(database, actorOf(visit), await chosenPresets(exchange));
      await lookAgain(options, portalId);
      if (left.length > 0) return { notice: { name: "sender-saved-not-presets", about: left.join(", ") } };
      if (draft === null) return { notice: { name: "sender-cleared", about: "", undoKey } };
      const person = await findActivePerson(database.pool, portalId, draft);
      return { notice: { name: "sender-saved", about: person?.label ?? unnamed(draft), undoKey } };
    },
    find: () => findPortalPolicy(database, portalId),
    compare: async ({ policy: stored }, draft) => {
      const { names } = await readNameable(database, portalId, idsOf(stored.defaultSenderUserId, draft));
      return describeChanges(told(stored.defaultSenderUserId), told(draft), names);
    },
    show: (state, stored) => sendForm(exchange, state, stored),
  });
}

/** The presets that were ticked, at the version that the form showed; "all" are those that it named. */
async function chosenPresets({ options, visit, form }: FormExchange) {
  const presets = await listWithoutDefaultSender(options.database, visit.session.portalId);
  if (form.text("fallback_in_all") === "yes") return presets;
  const ticked = new Set(form.texts("fallback_in"));
  return presets.flatMap(({ presetId }) => {
    const shown = [...ticked].find((value) => value.startsWith(`${presetId}-`));
    const version = /^\d+-(\d{1,9})$/.exec(shown ?? "")?.[1];
    return version === undefined ? [] : [{ presetId, version: Number(version) }];
  });
}

const idsOf = (...ids: (UserId | null)[]) => ids.filter((id) => id !== null);

const told = (userId: UserId | null) => ({ defaultSenderUserId: userId?.toString() ?? null });

/** The form once more with what was chosen, and what another admin saved in the meantime. */
async function sendForm(
  exchange: Exchange,
  { entry, version, conflict }: FormState<UserId | null>,
  stored: StoredPortalPolicy | undefined,
): Promise<void> {
  const { options, visit, response } = exchange;
  const named = idsOf(stored?.policy.defaultSenderUserId ?? null, entry);
  const senders = await listActivePeople(options.database.pool, visit.session.portalId, named);
  const uses = await readFlowUses(options.database.pool, visit.session.portalId);
  const [within, without] = await Promise.all([
    listWithDefaultSender(options.database, visit.session.portalId),
    listWithoutDefaultSender(options.database, visit.session.portalId),
  ]);
  const frame = frameOf(exchange);
  const current = { userId: entry, version };
  sendPage(
    response,
    409,
    <SitePage title="Default sender" current="/settings" frame={frame}>
      <Conflict changes={conflict} />
      <SenderForm
        current={current}
        senders={senders}
        uses={uses}
        within={within}
        without={without}
        formToken={frame.formToken}
      />
    </SitePage>,
  );
}
