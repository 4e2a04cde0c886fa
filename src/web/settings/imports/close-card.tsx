import { PasswordField, TextField } from "../frame/fields.js";
import { PostForm } from "../frame/form.js";
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
        Reads from Close who is in which sequence and who sends. You then match sequences and senders, and see
        who isn't in HubSpot, has opted out, or is already in a sequence. Nothing changes in Close, so end
        those sequences there before you start.
      </p>
      <PostForm action={CLOSE_PATH} formToken={formToken} class="narrow">
        <PasswordField
          name="close_key"
          label="Close API key"
          note="In Close, under Settings > Developer. Encrypted while we read Close, then erased."
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
