import type { PortalId } from "#platform/ids/branded-ids.js";
import { createBreather } from "#platform/time/breather.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { readEffectivePolicy } from "#domain/senders/effective-policy.js";
import type { EnrollQuestion } from "#domain/senders/explanation.js";
import { readPortalPolicy } from "#domain/senders/portal-policy.js";
import { createPolicyMemories } from "#domain/senders/stored/policy-memory.js";
import { Openings } from "#domain/senders/windows/openings.js";
import { judge, propertiesFor, stepOf, type ExplainerOptions, type Means } from "./explain-enrollment.js";
import type { Verdict } from "./verdict.js";

/** What would happen to a contact, by HubSpot's id. */
export interface NamedVerdict extends Verdict {
  readonly contactId: string;
}

/** What would happen to each of many contacts; undefined: HubSpot has no such contact. In the order of the questions. */
export type ExplainMany = (
  portalId: PortalId,
  questions: readonly EnrollQuestion[],
) => Promise<readonly (NamedVerdict | undefined)[]>;

/** The same as one explanation (explain-enrollment.ts), but a hundred contacts are read in one request to HubSpot. */
export function createManyExplainer(options: ExplainerOptions): ExplainMany {
  const means: Means = { ...options, openings: new Openings(), breathe: createBreather() };
  const memoryOf = createPolicyMemories();
  return async (portalId, questions) => {
    const gateway = options.gatewayOf(portalId);
    const memory = memoryOf(portalId);
    const policies = new Map<string, ReturnType<typeof readPolicy>>();
    const readPolicy = (question: EnrollQuestion) =>
      readEffectivePolicy(stepOf(question), (needs) =>
        readPortalPolicy(options.pool, portalId, { memory, needs }),
      );
    const policyOf = (question: EnrollQuestion) => {
      const key = JSON.stringify(stepOf(question));
      const known = policies.get(key) ?? readPolicy(question);
      policies.set(key, known);
      return known;
    };
    const names = new Set<string>();
    for (const question of questions)
      for (const name of propertiesFor((await policyOf(question)).effective)) names.add(name);
    const contacts = await readContactsNamed(gateway, {
      named: questions.map(({ contact }) => contact),
      names,
    });
    const verdicts: (NamedVerdict | undefined)[] = [];
    for (const question of questions) {
      const found = contacts.get(question.contact);
      const { portal } = await policyOf(question);
      verdicts.push(
        found && {
          contactId: found.id,
          ...(await judge(means, {
            portal,
            gateway,
            question,
            contact: { ...found, email: found.properties["email"] ?? null, asOf: undefined },
          })),
        },
      );
    }
    return verdicts;
  };
}

/** A contact as HubSpot has it. */
export interface ReadContact {
  readonly id: string;
  readonly properties: Readonly<Record<string, string | null>>;
}

/** Contacts that HubSpot reads in one request (docs/hubspot.md §6). */
const BATCH = 100;

/**
 * Contacts by what names them, an id or an address in lower case; what HubSpot does not have is not in the map.
 *
 * @throws HubSpot's faults.
 */
export async function readContactsNamed(
  gateway: Pick<PortalGateway, "readContacts" | "readContactsByEmail">,
  { named, names }: { named: readonly string[]; names: Iterable<string> },
): Promise<Map<string, ReadContact>> {
  const found = new Map<string, ReadContact>();
  const properties = [...names];
  const all = [...new Set(named)];
  for (const emails of slices(all.filter((name) => name.includes("@"))))
    for (const [email, contact] of await gateway.readContactsByEmail(emails, properties))
      found.set(email, contact);
  for (const ids of slices(all.filter((name) => !name.includes("@"))))
    for (const [id, values] of await gateway.readContacts(ids, properties))
      found.set(id, { id, properties: values });
  return found;
}

function slices(items: readonly string[]): string[][] {
  const count = Math.ceil(items.length / BATCH);
  return Array.from({ length: count }, (_, at) => items.slice(at * BATCH, (at + 1) * BATCH));
}
