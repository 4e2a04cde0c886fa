import { PasswordField, PostForm, TextField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { CLOSE_PATH } from "../words/paths.js";

/** The form by which an organization in Close is read. */
export function CloseCard({
  formToken,
  name,
  problems,
}: {
  formToken: string;
  /** As it was typed. */
  name: string;
  problems: Problems;
}) {
  return (
    <section class="card" aria-labelledby="close-title">
      <div class="card-head">
        <h2 id="close-title">From Close</h2>
      </div>
      <p>
        Reads who is in which sequence in Close, and who sends. Then you choose what they stand for here and
        see who is not in HubSpot, has opted out or is in a sequence already. Nothing is changed in Close: end
        the sequences there yourself before you start.
      </p>
      <PostForm action={CLOSE_PATH} formToken={formToken} class="narrow">
        <PasswordField
          name="close_key"
          label="API key of Close"
          note="From Close → Settings → Developer. It is kept sealed while Close is read, and erased then."
          problems={problems}
        />
        <TextField
          name="close_name"
          label="Name (optional)"
          value={name}
          note="Leave blank for “From Close”."
          problems={problems}
        />
        <button class="button">Read Close</button>
      </PostForm>
    </section>
  );
}
