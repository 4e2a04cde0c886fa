/** A property that an app or a person added to the contacts of an account. */
export interface CustomProperty {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly fieldType: string;
  readonly groupName: string;
  readonly description: string;
  readonly hidden: boolean;
  readonly createdAtMs: number;
  /** Set if its values are users of the account. */
  readonly referencedObjectType?: "OWNER";
}

/** Properties every contact has, which anybody with the scope may write. */
const STANDARD = new Set([
  "email",
  "firstname",
  "lastname",
  "company",
  "phone",
  "hubspot_owner_id",
  "hs_lead_status",
  "lifecyclestage",
  "hs_timezone",
]);

export type PropertyRefusal = {
  readonly name: string;
  readonly code: "PROPERTY_DOESNT_EXIST" | "READ_ONLY_VALUE";
};

/** Which properties the contacts of an account have. */
export class ContactProperties {
  readonly #custom = new Map<string, CustomProperty>();
  readonly #readOnly = new Set<string>();

  find(name: string): CustomProperty | undefined {
    return this.#custom.get(name);
  }

  all(): CustomProperty[] {
    return [...this.#custom.values()];
  }

  add(property: CustomProperty): void {
    this.#custom.set(property.name, property);
  }

  /** Its values stay with the contacts, unseen, as HubSpot archives a property. */
  archive(name: string): void {
    this.#custom.delete(name);
  }

  /** Lets no app write it anymore, or again. */
  setReadOnly(name: string, isReadOnly: boolean): void {
    if (isReadOnly) this.#readOnly.add(name);
    else this.#readOnly.delete(name);
  }

  /** Why a write of these properties is refused; undefined if it is not. What HubSpot keeps itself is read-only. */
  refusalOf(names: readonly string[]): PropertyRefusal | undefined {
    for (const name of names) {
      if (this.#readOnly.has(name)) return { name, code: "READ_ONLY_VALUE" };
      if (this.#custom.has(name) || STANDARD.has(name)) continue;
      return { name, code: name.startsWith("hs_") ? "READ_ONLY_VALUE" : "PROPERTY_DOESNT_EXIST" };
    }
    return undefined;
  }
}
