import { policySchema, type Policy } from "#domain/contract/policy.js";

/** A preset; `policy` is undefined if the stored one cannot be read. */
export interface Preset {
  readonly presetId: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly policy: Policy | undefined;
}

/** A preset as read. */
export interface PresetRow {
  preset_id: string;
  name: string;
  policy: unknown;
  is_default: boolean;
}

/** A preset whose policy is parsed on first use: of many presets, few are in use. */
export class KnownPreset implements Preset {
  readonly presetId: string;
  readonly name: string;
  readonly isDefault: boolean;
  #parsed: { readonly policy: Policy | undefined } | undefined;
  readonly #stored: unknown;

  /** Differs after each change of the row. */
  readonly stamp: string;

  constructor(row: PresetRow, stamp: string) {
    this.stamp = stamp;
    this.presetId = row.preset_id;
    this.name = row.name;
    this.isDefault = row.is_default;
    this.#stored = row.policy;
  }

  get policy(): Policy | undefined {
    this.#parsed ??= { policy: policySchema.safeParse(this.#stored).data };
    return this.#parsed.policy;
  }
}
