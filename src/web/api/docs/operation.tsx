import type { DocumentedAnswer, DocumentedParameter, PlacedOperation } from "./operations.js";
import { Prose } from "./docs-frame.js";
import { exampleOf, type DocumentedSchema } from "./schema-example.js";
import { TryIt } from "./try-it-form.js";

/** One operation: what it does, takes and answers, and a form to try it. */
export function Operation({ operation }: { operation: PlacedOperation }) {
  const { operationId, method, path, summary, description, parameters, requestBody, responses } = operation;
  return (
    <article id={operationId} class="card">
      <h3>
        <a href={`#${operationId}`}>{summary}</a>
      </h3>
      <p class="docs-address">
        <code>
          <b>{method}</b> /api/v1{path}
        </code>
      </p>
      <Prose text={description} />
      <Parameters parameters={parameters} />
      {Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) => (
        <Body key={type} type={type} schema={schema} />
      ))}
      <h4>Answers</h4>
      {Object.entries(responses).map(([status, answer]) => (
        <AnswerOf key={status} status={status} answer={answer} />
      ))}
      <TryIt operation={operation} />
    </article>
  );
}

export function Parameters({ parameters }: { parameters: readonly DocumentedParameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <>
      <h4>Parameters</h4>
      <dl>
        {parameters.map(({ name, in: place, required, description, schema }) => (
          <div key={`${place} ${name}`}>
            <dt>
              <code>{name}</code>{" "}
              <span class="note">{[place, required ? "required" : ""].join(" ").trim()}</span>
            </dt>
            <dd>{[description, limitsOf(schema)].filter(Boolean).join(" ")}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** What else a value has to be, in words. */
function limitsOf({ enum: choices, default: usual }: DocumentedSchema): string {
  const among = choices === undefined ? "" : `One of ${choices.join(", ")}.`;
  return [among, usual === undefined ? "" : `By default ${JSON.stringify(usual)}.`].filter(Boolean).join(" ");
}

function Body({ type, schema }: { type: string; schema: DocumentedSchema }) {
  const isJson = type === "application/json";
  return (
    <>
      <h4>
        Body, <code>{type}</code>
      </h4>
      {isJson ? <Example of={schema} /> : <p>{schema.description}</p>}
      {isJson && schema.properties ? <Fields schema={schema} /> : null}
    </>
  );
}

function Fields({ schema }: { schema: DocumentedSchema }) {
  const described = Object.entries(schema.properties ?? {}).map(([name, of]) => ({
    name,
    isRequired: schema.required?.includes(name) ?? false,
    text: [of.description, limitsOf(of)].filter(Boolean).join(" "),
  }));
  return (
    <dl>
      {described.map(({ name, isRequired, text }) => (
        <div key={name}>
          <dt>
            <code>{name}</code> {isRequired ? <span class="note">required</span> : null}
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function AnswerOf({ status, answer }: { status: string; answer: DocumentedAnswer }) {
  const schema = answer.content?.["application/json"]?.schema;
  return (
    <details>
      <summary>
        <b>{status}</b> {Number(status) < 300 ? answer.description : "Refused"}
      </summary>
      {Number(status) < 300 ? null : <Prose text={answer.description} />}
      {schema === undefined ? null : <Example of={schema} />}
    </details>
  );
}

/** JSON that fits a schema. */
export function Example({ of }: { of: DocumentedSchema }) {
  return (
    <pre>
      <code>{JSON.stringify(exampleOf(of), undefined, 2)}</code>
    </pre>
  );
}
