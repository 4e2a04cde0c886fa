import { API_SCOPES, type ApiScope } from "#domain/contract/actor.js";
import type { ListedKey } from "#domain/keys/list-keys.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { CheckBox, DateField, Group, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import type { Problems } from "../frame/problems.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { ShownOnce } from "../frame/shown-once.js";
import { LONGEST_LABEL } from "../words/names.js";
import { API_DOCS_PATH } from "../words/paths.js";
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
  "enrollments:read": "Read enrollments, imports, sequences, senders, and webhooks.",
  "enrollments:write": "Enroll, cancel, retry, and import contacts; add and change webhooks.",
};

export function ApiKeysPage({ frame, keys, entry, problems, madeKey }: ApiKeysPageModel) {
  return (
    <SitePage
      title="API keys"
      current="/settings/api-keys"
      frame={frame}
      lead="Programs use an API key to access this account's REST API."
    >
      {madeKey === undefined ? null : (
        <ShownOnce
          title="Your new key."
          text={madeKey}
          note="Copy it now and store it like a password. It won't be shown again."
        />
      )}
      <KeyList keys={keys} frame={frame} />
      <KeyForm entry={entry} problems={problems} formToken={frame.formToken} />
    </SitePage>
  );
}

function KeyList({ keys, frame }: { keys: readonly ListedKey[]; frame: Frame }) {
  return (
    <section class="card" aria-labelledby="keys-title">
      <div class="card-head">
        <h2 id="keys-title">Keys</h2>
        <a class="button quiet" href={API_DOCS_PATH}>
          How to use the API
        </a>
      </div>
      {keys.length === 0 ? (
        <p class="empty">No API keys yet. Create one below for each program.</p>
      ) : (
        <table>
          <thead>
            <tr>
              {["Key", "Scopes", "Created by", "Expires", "Last used", "Status"].map((head) => (
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
      <td data-label="Key" class="wide">
        <div>
          <bdi>{shorten(name, LONGEST_LABEL)}</bdi>
          <code class="line note">sqe_{prefix}_…</code>
        </div>
      </td>
      <td data-label="Scopes">
        <div>
          {scopes.map((scope) => (
            <code class="line" key={scope}>
              {scope}
            </code>
          ))}
        </div>
      </td>
      <td data-label="Created by">
        <bdi>{createdBy === null ? "Operator" : shorten(createdBy, LONGEST_LABEL)}</bdi>
      </td>
      <td data-label="Expires">
        {expiresAt === null ? <span>Never</span> : <Time date={expiresAt} format={frame.format} />}
      </td>
      <td data-label="Last used">
        {lastUsedAt === null ? <span>Never</span> : <Time date={lastUsedAt} format={frame.format} />}
      </td>
      <td data-label="Status">
        <State {...listed} />
      </td>
      <td data-label="">{isInForce ? <Revoke listed={listed} formToken={frame.formToken} /> : null}</td>
    </tr>
  );
}

function State({ revokedAt, isInForce }: ListedKey) {
  if (isInForce) return <span class="badge enrolled">Active</span>;
  return <span class="badge">{revokedAt === null ? "Expired" : "Revoked"}</span>;
}

/** Asks before it revokes: a program that uses the key stops working, and nothing brings the key back. */
function Revoke({ listed, formToken }: { listed: ListedKey; formToken: string }) {
  return (
    <details class="confirm">
      <summary aria-label={`Revoke ${shorten(listed.name, LONGEST_LABEL)}`}>Revoke</summary>
      <PostForm action="/settings/api-keys/revoke" formToken={formToken}>
        <input type="hidden" name="prefix" value={listed.prefix} />
        <p>Revoke this key permanently? Programs that use it lose access within five seconds.</p>
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
        <h2 id="new-key-title">Create a key</h2>
      </div>
      <ProblemSummary problems={problems} />
      <PostForm action="/settings/api-keys" formToken={formToken} class="narrow">
        <TextField
          name="name"
          label="Name"
          value={entry.name}
          note="The program that will use this key."
          problems={problems}
        />
        <Group legend="Scopes" id="scopes" problem={problems["scopes"]}>
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
        <DateField
          name="expires"
          label="Last day (optional)"
          value={entry.expires}
          note="The key expires at the end of this day (UTC). Leave blank if it should never expire."
          problems={problems}
        />
        <button class="button primary">Create key</button>
      </PostForm>
    </section>
  );
}
