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
