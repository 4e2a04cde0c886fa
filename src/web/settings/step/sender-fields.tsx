import { SelectField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import type { Nameable } from "../words/names.js";
import { activePeople, peopleNote, rotationChoices, rotationNote } from "./people-choices.js";

interface ChoiceModel {
  /** Of the form's field. */
  name: string;
  value: string;
  nameable: Nameable;
  problems: Problems;
}

const MODE_LABELS = {
  portal_default: "Use the preset's sender",
  default_sender: "Default sender",
  contact_owner: "Contact owner",
  contact_property: "A contact property that holds a user",
  specific_user: "Specific user",
  rotation: "Rotation",
} as const;

interface SenderModeModel {
  value: string;
  /** What is offered, in this order. */
  modes: readonly (keyof typeof MODE_LABELS)[];
  problems: Problems;
}

/** Who sends. */
export function SenderModeField({ modes, ...field }: SenderModeModel) {
  return (
    <SelectField
      {...field}
      name="sender_mode"
      label="Sender"
      choices={modes.map((value) => ({ value, label: MODE_LABELS[value] }))}
    />
  );
}

/** The user who sends, where the sender is “Specific user”. `page` is the page itself, to load again. */
export function SenderUserField({ nameable, page, ...field }: ChoiceModel & { page: string }) {
  const people = activePeople(nameable);
  return (
    <SelectField
      {...field}
      label="User"
      note={peopleNote(people, { page, note: "For “Specific user”." })}
      choices={[{ value: "", label: "Choose a user" }, ...people]}
    />
  );
}

/** The rotation whose members send, where the sender is “Rotation”. */
export function SenderRotationField({ nameable, ...field }: ChoiceModel) {
  const rotations = rotationChoices(nameable);
  return (
    <SelectField
      {...field}
      label="Rotation"
      note={rotationNote(rotations, "For “Rotation”.")}
      choices={[{ value: "", label: "Choose a rotation" }, ...rotations]}
    />
  );
}
