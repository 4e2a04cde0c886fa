import type { ContactProperty } from "#platform/hubspot/gateway.js";
import { TextField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";

/** The account's contact properties; undefined: HubSpot could not be asked. */
export type KnownProperties = readonly ContactProperty[] | undefined;

interface PropertyFieldModel {
  name: string;
  label: string;
  value: string;
  /** What it is for, and an example of an internal name. */
  note: { about: string; example: string };
  properties: KnownProperties;
  /** Offers only properties that hold a user, provided that the account has such properties. */
  isOfUser?: boolean;
  problems: Problems;
}

/** The internal name of a contact property, with the account's properties to choose from while one types. */
export function PropertyField({ note, properties, isOfUser = false, ...field }: PropertyFieldModel) {
  const { about, example } = note;
  const offered = offeredOf(properties ?? [], isOfUser);
  const list = `${field.name}-choices`;
  return (
    <>
      <TextField
        {...field}
        note={`${about}${properties === undefined ? `We couldn't load your properties from HubSpot. Enter the internal name, such as ${example}.` : `Its internal name, such as ${example}. Matches appear as you type.`}`}
        list={offered.length === 0 ? undefined : list}
      />
      <datalist id={list}>
        {offered.map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </datalist>
    </>
  );
}

function offeredOf(properties: readonly ContactProperty[], isOfUser: boolean): readonly ContactProperty[] {
  const shown = properties.filter(({ isHidden }) => !isHidden);
  const ofUsers = shown.filter(({ holdsUser }) => holdsUser);
  const offered = isOfUser && ofUsers.length > 0 ? ofUsers : shown;
  return offered.toSorted((one, other) => one.label.localeCompare(other.label, "en"));
}

/** What was typed as an internal name: a label that only one property has stands for that property. */
export function internalNameOf(typed: string, properties: KnownProperties): string {
  if (properties === undefined || properties.some(({ name }) => name === typed)) return typed;
  const wanted = typed.trim().toLowerCase();
  const named = properties.filter(
    ({ name, label }) => name === wanted || label.trim().toLowerCase() === wanted,
  );
  const [only] = named;
  return only !== undefined && named.length === 1 ? only.name : typed;
}

/** Why no property can be meant; undefined if there is one, or HubSpot could not be asked. */
export function missingProperty(name: string, properties: KnownProperties): string | undefined {
  if (name === "" || properties === undefined || properties.some((property) => property.name === name))
    return undefined;
  return `There's no contact property named ${name}. Choose one from the list.`;
}
