import type { DocumentedParameter, PlacedOperation } from "./operations.js";
import { exampleOf } from "./schema-example.js";

/** Bodies that a text field can hold. */
const TEXT_TYPES = /^(?:application\/(?:json|x-ndjson)|text\/)/;

/** A form that the page's script shows and sends; without the script it stays hidden. */
export function TryIt({ operation }: { operation: PlacedOperation }) {
  const { method, path, summary, parameters, requestBody } = operation;
  const [type, media] =
    Object.entries(requestBody?.content ?? {}).find(([name]) => TEXT_TYPES.test(name)) ?? [];
  const first = type === "application/json" ? exampleOf(media?.schema ?? {}, true) : undefined;
  return (
    <form class="docs-try" data-method={method} data-path={path} data-type={type} hidden>
      <h4>Try it</h4>
      {parameters.map((parameter) => (
        <ParameterField key={`${parameter.in} ${parameter.name}`} parameter={parameter} />
      ))}
      {type === undefined ? null : (
        <label>
          Body, {type}
          <textarea data-body rows={8} spellcheck={false}>
            {first === undefined ? "" : JSON.stringify(first, undefined, 2)}
          </textarea>
        </label>
      )}
      <p>
        <button class="button" type="submit" aria-label={`Send: ${summary}`}>
          Send
        </button>
      </p>
      <pre data-answer role="status" hidden></pre>
    </form>
  );
}

function ParameterField({ parameter: { name, in: place, required } }: { parameter: DocumentedParameter }) {
  return (
    <label>
      {name}
      <input data-place={place} data-name={name} required={required ?? false} autocomplete="off" />
    </label>
  );
}
