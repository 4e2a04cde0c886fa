import { randomUUID } from "node:crypto";
import { requestCopy } from "#domain/directory/report.js";
import {
  findPortalPolicy,
  savePortalPolicy,
  policySnapshot,
  type SavePolicyOutcome,
} from "#domain/policy/portal-policy-store.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { statusOf } from "../frame/form-answers.js";
import { lookAgain } from "../frame/look-again.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { submitVersioned, type FormState } from "../frame/versioned-form.js";
import { actorOf } from "../session/visit.js";
import { describeChanges } from "../words/changes.js";
import { readNameable, type Nameable } from "../words/names.js";
import { parsePolicyEntry, policyEntryOf, readPolicyEntry, type PolicyEntry } from "./policy-entry.js";
import { PolicyPage } from "./policy-page.js";

/** What the form says of an outcome that one of its fields is to blame for. */
const PROBLEMS: Readonly<Partial<Record<SavePolicyOutcome, Problems>>> = {
  "unknown-sender": { default_sender: "The default sender must be an active user of this account." },
  "nobody-approved": {
    only_listed: "No one is approved yet. Approve senders on the Senders page first, then turn this on.",
  },
  "unknown-reader": { sequence_reader: "Choose an active user of this account." },
};

/** `GET /settings/policy` */
export async function showPolicy(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const { portalId } = visit.session;
  const [{ policy, version }, nameable] = await Promise.all([
    findPortalPolicy(options.database, portalId),
    readNameable(options.database, portalId),
  ]);
  sendForm(exchange, nameable, { entry: policyEntryOf(policy), version, problems: {} });
}

/** `POST /settings/policy` */
export async function savePolicyForm(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const nameable = await readNameable(database, portalId);
  const entry = readPolicyEntry(form);
  await submitVersioned(exchange, {
    entry,
    parsed: parsePolicyEntry(entry),
    save: async (policy, version) => {
      const undoKey = randomUUID();
      const outcome = await savePortalPolicy(database, actorOf(visit), {
        policy,
        shown: { version },
        undoKey,
      });
      const problems = PROBLEMS[outcome];
      if (problems !== undefined) return { problems };
      if (outcome !== "saved") return "changed-meanwhile";
      await requestCopy(database.pool, portalId);
      await lookAgain(options, portalId);
      return { notice: { name: "policy-saved", about: "", undoKey } };
    },
    find: () => findPortalPolicy(database, portalId),
    compare: ({ policy }, draft) =>
      describeChanges(policySnapshot(policy), policySnapshot(draft), nameable.names),
    show: (state) => sendForm(exchange, nameable, state),
  });
}

function sendForm(exchange: Exchange, nameable: Nameable, state: FormState<PolicyEntry>): void {
  const page = <PolicyPage frame={frameOf(exchange)} nameable={nameable} {...state} />;
  sendPage(exchange.response, statusOf(state), page);
}
