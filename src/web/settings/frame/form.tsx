import type { ComponentChildren } from "preact";
import { ChangeFields } from "../session/view-only.js";
import { numbered } from "../words/format.js";
import type { Problems } from "./problems.js";

interface PostFormModel {
  action: string;
  formToken: string;
  /** True if it changes nothing: viewers may send it, too. */
  isQuestion?: boolean;
  class?: string;
  id?: string;
  enctype?: "multipart/form-data";
  "aria-label"?: string;
  [htmx: `hx-${string}`]: string;
  children: ComponentChildren;
}

/** A form that posts with this session's token. Viewers cannot use it. */
export function PostForm({ action, formToken, isQuestion, children, ...rest }: PostFormModel) {
  return (
    <form method="post" action={action} {...rest}>
      <input type="hidden" name="form_token" value={formToken} />
      {isQuestion === true ? children : <ChangeFields>{children}</ChangeFields>}
    </form>
  );
}

/** Above a form that cannot be saved: what is wrong, with the way to each field. */
export function ProblemSummary({ problems, heading }: { problems: Problems; heading?: string }) {
  const all = Object.entries(problems);
  if (all.length === 0) return null;
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{heading ?? "Not saved."}</strong> Fix {numbered(all.length, "problem")}:
      </p>
      <ul>
        {all.map(([name, problem]) => (
          <li key={name}>
            <a href={`#${name}`}>{problem}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}
