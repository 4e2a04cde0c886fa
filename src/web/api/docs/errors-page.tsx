import { ERROR_CODES } from "#domain/contract/error-codes.js";
import { meaningOf, PROBLEM_CODES, usualStatus, type ProblemCode } from "#web/api/kit/problem.js";
import { DocsFrame } from "./docs-frame.js";

/** Every code a problem can have, each with the anchor that its `type` names. */
export function ErrorsPage() {
  const reasons = new Set<ProblemCode>(ERROR_CODES);
  const ofTheApi = PROBLEM_CODES.filter((code) => !reasons.has(code));
  return (
    <DocsFrame title="Error codes">
      <main id="content" class="docs" tabIndex={-1}>
        <h1>Error codes</h1>
        <p class="lead">
          A request that is refused is answered with <code>application/problem+json</code> (RFC 9457). Branch
          on <code>code</code>: codes are never renamed. <code>detail</code> says what is wrong this time, and{" "}
          <code>errors</code> names every field or parameter that is wrong.
        </p>
        <section class="card">
          <h2>Requests that are refused</h2>
          {ofTheApi.map((code) => (
            <Code key={code} code={code} note={`Usually with status ${usualStatus(code)}.`} />
          ))}
        </section>
        <section class="card">
          <h2>Why a contact is not enrolled</h2>
          <p>
            These are the <code>reason</code> of an enrollment. What can be seen wrong at once is refused with
            the same code, and nothing is stored.
          </p>
          {ERROR_CODES.map((code) => (
            <Code key={code} code={code} />
          ))}
        </section>
      </main>
    </DocsFrame>
  );
}

function Code({ code, note }: { code: ProblemCode; note?: string }) {
  return (
    <div id={code} class="docs-code">
      <h3>
        <a href={`#${code}`}>
          <code>{code}</code>
        </a>
      </h3>
      <p>
        {meaningOf(code)} {note}
      </p>
    </div>
  );
}
