import { DocsFrame } from "./docs-frame.js";
import { Messages } from "./messages.js";
import { Operation } from "./operation.js";
import { operationsByTag, type ApiDocument } from "./operations.js";

/** The API to read and to try, from its OpenAPI document. */
export function ApiDocsPage({ document }: { document: ApiDocument }) {
  const groups = [...operationsByTag(document)];
  return (
    <DocsFrame title="API">
      <main id="content" class="docs" tabIndex={-1}>
        <h1>API</h1>
        <p class="lead">
          Every request carries a key of your HubSpot account: <code>Authorization: Bearer sqe_…</code>. An
          admin makes one on the settings pages, under API keys.
        </p>
        <section class="card" data-key-part hidden>
          <label>
            API key for “Try it”
            <input data-key type="password" autocomplete="off" spellcheck={false} />
          </label>
          <p class="note">
            It stays in this field, is sent with the requests you try, and is gone when you leave the page.
            Those requests are real: they change your account.
          </p>
        </section>
        <nav aria-label="Operations" class="card">
          {groups.map(([tag, operations]) => (
            <section key={tag}>
              <h2>{tag}</h2>
              <ul>
                {operations.map(({ operationId, summary }) => (
                  <li key={operationId}>
                    <a href={`#${operationId}`}>{summary}</a>
                  </li>
                ))}
              </ul>
            </section>
          ))}
          <section>
            <h2>Messages to your programs</h2>
            <ul>
              <li>
                <a href="#webhooks">Receive webhooks, and check their signature</a>
              </li>
            </ul>
          </section>
        </nav>
        {groups.map(([tag, operations]) => (
          <section key={tag} class="docs-group">
            <h2>{tag}</h2>
            {operations.map((operation) => (
              <Operation key={operation.operationId} operation={operation} />
            ))}
          </section>
        ))}
        <Messages document={document} />
      </main>
    </DocsFrame>
  );
}
