import type { ComponentChildren } from "preact";
import type { Problems } from "./problems.js";

/** What every field has: its name in the form, which is also its id. */
interface FieldModel {
  name: string;
  label: string;
  /** Said below the field. */
  note?: ComponentChildren;
  problems: Problems;
}

interface FrameModel extends FieldModel {
  children: (described: Described) => ComponentChildren;
}

/** What ties a control to its note and its problem. */
interface Described {
  id: string;
  name: string;
  "aria-describedby": string | undefined;
  "aria-invalid": "true" | undefined;
  /** The first field that is wrong is where one goes on typing. */
  autofocus: true | undefined;
}

function Field({ name, label, note, problems, children }: FrameModel) {
  const problem = problems[name];
  const described = [problem && `${name}-problem`, note !== undefined && `${name}-note`]
    .filter(Boolean)
    .join(" ");
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {children({
        id: name,
        name,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": problem === undefined ? undefined : "true",
        autofocus: Object.keys(problems)[0] === name ? true : undefined,
      })}
      {problem === undefined ? null : (
        <p class="warning" id={`${name}-problem`}>
          {problem}
        </p>
      )}
      {note === undefined ? null : (
        <p class="note" id={`${name}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

interface TextFieldModel extends FieldModel {
  value: string;
  inputMode?: "numeric" | "email" | "url";
  /** The id of a `datalist` that helps while one types. */
  list?: string | undefined;
  isDisabled?: boolean;
}

/** No `maxlength`: what is too long is kept and said, not cut. */
export function TextField({ value, inputMode, list, isDisabled = false, ...field }: TextFieldModel) {
  return (
    <Field {...field}>
      {(described) => (
        <input
          {...described}
          type="text"
          value={value}
          inputmode={inputMode}
          list={list}
          disabled={isDisabled}
          autocomplete="off"
          spellcheck={false}
        />
      )}
    </Field>
  );
}

/** A time of day, as HH:MM. */
export function TimeField({ value, ...field }: FieldModel & { value: string }) {
  return <Field {...field}>{(described) => <input {...described} type="time" value={value} />}</Field>;
}

/** A day of the calendar, as YYYY-MM-DD. */
export function DateField({ value, ...field }: FieldModel & { value: string }) {
  return <Field {...field}>{(described) => <input {...described} type="date" value={value} />}</Field>;
}

/** A secret: what was typed never comes back. */
export function PasswordField(field: FieldModel) {
  return (
    <Field {...field}>{(described) => <input {...described} type="password" autocomplete="off" />}</Field>
  );
}

/** A file to be sent. The form it stands in has `multipart/form-data`. */
export function FileField({ accept, ...field }: FieldModel & { accept: string }) {
  return (
    <Field {...field}>{(described) => <input {...described} type="file" accept={accept} required />}</Field>
  );
}

export function TextArea({ value, rows = 4, ...field }: FieldModel & { value: string; rows?: number }) {
  return (
    <Field {...field}>
      {(described) => (
        <textarea {...described} rows={rows} spellcheck={false}>
          {value}
        </textarea>
      )}
    </Field>
  );
}

export interface Choice {
  value: string;
  label: string;
}

/** A value that is not among the choices stays chosen, and is said to be gone. */
export function SelectField({
  value,
  choices,
  ...field
}: FieldModel & { value: string; choices: readonly Choice[] }) {
  const isGone = value !== "" && !choices.some((choice) => choice.value === value);
  return (
    <Field {...field}>
      {(described) => (
        <select {...described}>
          {isGone ? (
            <option value={value} selected>
              Deleted or inactive ({value})
            </option>
          ) : null}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value} selected={choice.value === value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckModel {
  name: string;
  label: string;
  isChecked: boolean;
  note?: string;
}

interface InputModel extends CheckModel {
  type: "checkbox" | "radio";
  id: string;
  value: string;
}

function Check({ type, id, name, value, label, isChecked, note }: InputModel) {
  return (
    <div class="check">
      <input
        type={type}
        id={id}
        name={name}
        value={value}
        checked={isChecked}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
      />
      <label for={id}>{label}</label>
      {note === undefined ? null : (
        <p class="note" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

/** @param model.value set if several boxes share a name. */
export function CheckBox({ value = "yes", ...model }: CheckModel & { value?: string }) {
  const id = value === "yes" ? model.name : `${model.name}-${value}`;
  return <Check {...model} type="checkbox" id={id} value={value} />;
}

/** Several share the name; one of them is chosen. */
export function Radio(model: CheckModel & { value: string }) {
  return <Check {...model} type="radio" id={`${model.name}-${model.value}`} />;
}

/** Fields that belong together, under a heading that names them. */
export function Group({
  legend,
  note,
  id,
  problem,
  children,
}: {
  legend: string;
  note?: string;
  /** Where the summary of a form's problems leads to. */
  id?: string;
  /** What is wrong with the fields as a whole. */
  problem?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <fieldset class="group" id={id} aria-describedby={problem === undefined ? undefined : `${id}-problem`}>
      <legend>{legend}</legend>
      {problem === undefined ? null : (
        <p class="warning" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {note === undefined ? null : <p class="note">{note}</p>}
      {children}
    </fieldset>
  );
}
