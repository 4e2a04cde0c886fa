import { API_SCOPES, type ApiScope } from "#domain/contract/actor.js";
import type { ListedKey } from "#domain/keys/list-keys.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { CheckBox, Group, PostForm, ProblemSummary, TextField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { LONGEST_LABEL } from "../words/names.js";
import type { KeyEntry } from "./api-keys-entry.js";

export interface ApiKeysPageModel {
  readonly frame: Frame;
  readonly keys: readonly ListedKey[];
  readonly entry: KeyEntry;
  readonly problems: Problems;
  /** The key just made; undefined on every other page. */
  readonly madeKey: string | undefined;
}

const SCOPE_LABELS: Readonly<Record<ApiScope, string>> = {
  "enrollments:read": "Read enrollments, sequences and senders",
  "enrollments:write": "Enroll contacts, cancel and retry",
};

export function ApiKeysPage({ frame, keys, entry, problems, madeKey }: ApiKeysPageModel) {
  return (
    <SitePage
      title="API keys"
      current="/settings/api-keys"
      frame={frame}
      lead="Programs that use the REST API of this account sign in with a key."
    >
      {madeKey === undefined ? null : <MadeKey text={madeKey} />}
      <KeyList keys={keys} frame={frame} />
      <KeyForm entry={entry} problems={problems} formToken={frame.formToken} />
    </SitePage>
  );
}

function MadeKey({ text }: { text: string }) {
  return (
    <div class="notice good" role="status">
      <p>
        <strong>Your new key.</strong> Copy it now and keep it like a password: it is never shown again.
      </p>
      <p>
        <code class="secret">{text}</code>
      </p>
    </div>
  );
}

function KeyList({ keys, frame }: { keys: readonly ListedKey[]; frame: Frame }) {
  return (
    <section class="card" aria-labelledby="keys-title">
      <div class="card-head">
        <h2 id="keys-title">Keys</h2>
      </div>
      {keys.length === 0 ? (
        <p class="empty">This account has no keys yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              {["Name", "Prefix", "Scopes", "Made by", "Expires", "Last used", "State"].map((head) => (
                <th scope="col" key={head}>
                  {head}
                </th>
              ))}
              <th scope="col">
                <span class="unseen">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((one) => (
              <Row key={one.prefix} listed={one} frame={frame} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ listed, frame }: { listed: ListedKey; frame: Frame }) {
  const { name, prefix, scopes, createdBy, expiresAt, lastUsedAt, isInForce } = listed;
  return (
    <tr>
      <td data-label="Name">
        <bdi>{shorten(name, LONGEST_LABEL)}</bdi>
      </td>
      <td data-label="Prefix">
        <code>{prefix}</code>
      </td>
      <td data-label="Scopes">{scopes.join(", ")}</td>
      <td data-label="Made by">{createdBy === null ? "Operator" : shorten(createdBy, LONGEST_LABEL)}</td>
      <td data-label="Expires">
        {expiresAt === null ? "Never" : <Time date={expiresAt} format={frame.format} />}
      </td>
      <td data-label="Last used">
        {lastUsedAt === null ? "Never" : <Time date={lastUsedAt} format={frame.format} />}
      </td>
      <td data-label="State">
        <State {...listed} />
      </td>
      <td data-label="">{isInForce ? <Revoke listed={listed} formToken={frame.formToken} /> : null}</td>
    </tr>
  );
}

function State({ revokedAt, isInForce }: ListedKey) {
  if (isInForce) return <span class="badge good">In force</span>;
  return <span class="badge quiet">{revokedAt === null ? "Expired" : "Revoked"}</span>;
}

/** Asks before it revokes: a program that uses the key stops working, and nothing brings the key back. */
function Revoke({ listed, formToken }: { listed: ListedKey; formToken: string }) {
  return (
    <details>
      <summary aria-label={`Revoke ${shorten(listed.name, LONGEST_LABEL)}`}>Revoke</summary>
      <PostForm action="/settings/api-keys/revoke" formToken={formToken}>
        <input type="hidden" name="prefix" value={listed.prefix} />
        <p>Revoke this key for good? Programs that use it are refused within five seconds.</p>
        <button class="button danger">Revoke key</button>
      </PostForm>
    </details>
  );
}

function KeyForm({
  entry,
  problems,
  formToken,
}: Omit<ApiKeysPageModel, "frame" | "keys" | "madeKey"> & { formToken: string }) {
  return (
    <section class="card" aria-labelledby="new-key-title">
      <div class="card-head">
        <h2 id="new-key-title">Make a key</h2>
      </div>
      <ProblemSummary problems={problems} />
      <PostForm action="/settings/api-keys" formToken={formToken} class="narrow">
        <TextField
          name="name"
          label="Name"
          value={entry.name}
          note="The program that will use it."
          problems={problems}
        />
        <div id="scopes">
          <Group legend="Scopes">
            {API_SCOPES.map((scope) => (
              <CheckBox
                key={scope}
                name="scopes"
                value={scope}
                label={scope}
                note={SCOPE_LABELS[scope]}
                isChecked={entry.scopes.includes(scope)}
              />
            ))}
          </Group>
        </div>
        <TextField
          name="expires"
          label="Last day (optional)"
          value={entry.expires}
          note="Such as 2027-01-31. The key expires at the end of that day, in UTC. Empty: it never expires."
          problems={problems}
        />
        <button class="button primary">Make key</button>
      </PostForm>
    </section>
  );
}
