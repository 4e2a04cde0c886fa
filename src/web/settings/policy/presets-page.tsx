import { ForAdmins } from "../session/view-only.js";
import type { ComponentChildren } from "preact";
import { BUILT_IN_PRESET, type FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { Nameable } from "../words/names.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { MAX_PRESETS, type ListedPreset } from "#domain/policy/preset-store.js";
import { numbered } from "../words/format.js";
import { ChangeTable } from "../words/change-table.js";
import { PostForm } from "../frame/form.js";
import { UsedByNote } from "../frame/used-by.js";
import { fallbackInWords } from "../words/fallback-words.js";
import { SitePage } from "../frame/shell.js";
import { unnamed } from "#domain/directory/people.js";

export const PRESETS_PATH = "/settings/presets";
export const NEW_PRESET_PATH = `${PRESETS_PATH}/new`;

export interface PresetsModel {
  frame: Frame;
  presets: readonly ListedPreset[];
  nameable: Nameable;
  /** Which workflows depend on which. */
  uses: FlowUses;
  /** What could not be made the default, since another admin was quicker; null: the built-in policy. */
  refused?: bigint | null | undefined;
}

export function PresetsPage({ frame, presets, nameable, uses, refused }: PresetsModel) {
  const current = presets.find(({ isDefault }) => isDefault);
  const hasDefault = current !== undefined;
  return (
    <SitePage
      frame={frame}
      current={PRESETS_PATH}
      title="Presets"
      lead="A preset is a saved set of rules. Change it once and every workflow that uses it follows. Settings in the workflow action override the preset."
    >
      {refused === undefined ? null : (
        <RefusedDefault presets={presets} current={current} refused={refused} />
      )}
      <section class="presets" aria-label="Presets">
        {hasDefault ? null : (
          <PresetCard
            title="Built-in rules"
            policy={INITIAL_POLICY}
            domainCount={0}
            nameable={nameable}
            isDefault
          >
            <UsedByNote uses={uses} flows={uses.presets.get(BUILT_IN_PRESET)} />
          </PresetCard>
        )}
        {presets.map((preset) => (
          <PresetCard
            key={String(preset.presetId)}
            title={preset.name}
            href={`${PRESETS_PATH}/${preset.presetId}`}
            policy={preset.policy}
            domainCount={preset.domainCount}
            nameable={nameable}
            isDefault={preset.isDefault}
          >
            <UsedByNote uses={uses} flows={uses.presets.get(String(preset.presetId))} />
            <ForAdmins>
              <DefaultChange uses={uses} />
              <DefaultButton frame={frame} preset={preset} current={current} />
            </ForAdmins>
          </PresetCard>
        ))}
      </section>
      {presets.length < MAX_PRESETS ? null : (
        <p class="note">
          You can have up to {MAX_PRESETS} presets. This page shows no more than that, by name.
        </p>
      )}
      <ForAdmins>
        <div class="actions">
          <a class="button primary" href={NEW_PRESET_PATH}>
            New preset
          </a>
        </div>
      </ForAdmins>
    </SitePage>
  );
}

interface RefusedModel {
  presets: readonly ListedPreset[];
  current: ListedPreset | undefined;
  refused: bigint | null;
}

/** Both choices, and that the other admin's holds. */
function RefusedDefault({ presets, current, refused }: RefusedModel) {
  const chosen = presets.find(({ presetId }) => presetId === refused);
  const nameOf = (preset: ListedPreset | undefined) => preset?.name ?? "Built-in rules";
  return (
    <div class="notice bad conflict" role="alert">
      <p>
        <strong>Another admin changed the presets while you were editing, so yours weren't saved.</strong>{" "}
        Check them below, then choose again if you still want to.
      </p>
      <ChangeTable
        changes={[{ label: "Default preset", before: nameOf(current), after: nameOf(chosen) }]}
        heads={["Their version", "Your version"]}
      />
    </div>
  );
}

/** Said beside the button: whom another default concerns. */
function DefaultChange({ uses }: { uses: FlowUses }) {
  const { defaultPreset: flows } = uses;
  if (flows.length === 0) return null;
  return (
    <p class="note">
      {numbered(flows.length, "workflow")} without a preset of {flows.length === 1 ? "its" : "their"} own will
      follow the new default.
    </p>
  );
}

interface DefaultButtonModel {
  frame: Frame;
  preset: ListedPreset;
  current: ListedPreset | undefined;
}

function DefaultButton({ frame, preset, current }: DefaultButtonModel) {
  return (
    <PostForm action={`${PRESETS_PATH}/default`} formToken={frame.formToken}>
      <input type="hidden" name="preset" value={preset.isDefault ? "" : String(preset.presetId)} />
      <input type="hidden" name="instead" value={current === undefined ? "" : String(current.presetId)} />
      <input type="hidden" name="version" value={preset.version} />
      <button class="button quiet">{preset.isDefault ? "Use built-in rules" : "Set as default"}</button>
    </PostForm>
  );
}

interface CardModel {
  title: string;
  href?: string;
  policy: Policy;
  domainCount: number;
  nameable: Nameable;
  isDefault: boolean;
  children?: ComponentChildren;
}

function PresetCard({ title, href, policy, domainCount, nameable, isDefault, children }: CardModel) {
  return (
    <article class="card">
      <div class="card-head">
        <h2>
          {href === undefined ? (
            title
          ) : (
            <a href={href}>
              <bdi>{title}</bdi>
            </a>
          )}
        </h2>
        {isDefault ? <span class="badge enrolled">Default</span> : null}
      </div>
      {isDefault ? <p class="note">Used when an action has no preset.</p> : null}
      <PolicyFacts policy={policy} domainCount={domainCount} nameable={nameable} />
      {children}
    </article>
  );
}

/** A policy in a few lines. */
function PolicyFacts({
  policy,
  domainCount,
  nameable,
}: Pick<CardModel, "policy" | "domainCount" | "nameable">) {
  const { cooldown, suppression, checkOptOut, ifAlreadyEnrolled } = policy;
  const held = [
    cooldown.days === 0
      ? ""
      : `in ${cooldown.scope === "any" ? "any" : "the same"} sequence within ${numbered(cooldown.days, "day")}`,
    domainCount === 0 ? "" : numbered(domainCount, "blocked domain"),
    suppression.property === null ? "" : `blocked by ${suppression.property.name}`,
    checkOptOut ? "opted out" : "",
  ].filter((part) => part !== "");
  return (
    <dl class="facts">
      <dt>Sender</dt>
      <dd>{describeSender(policy, nameable)}</dd>
      <dt>If that sender can't send</dt>
      <dd>{describeFallback(policy, nameable)}</dd>
      <dt>If already in a sequence</dt>
      <dd>{ALREADY[ifAlreadyEnrolled]}</dd>
      <dt>Never enrolls</dt>
      <dd>{held.length === 0 ? "None" : sentenceCase(held.join(" · "))}</dd>
    </dl>
  );
}

const ALREADY: Readonly<Record<Policy["ifAlreadyEnrolled"], string>> = {
  skip: "Keep there and continue",
  fail: "Mark as failed and continue",
  wait: "Wait, then enroll",
  replace: "Take out of that sequence, then enroll",
};

function describeSender({ sender }: Policy, { names }: Nameable): string {
  switch (sender.mode) {
    case "contact_owner":
      return "Contact owner";
    case "contact_property":
      return `The user in the contact property ${sender.property}`;
    case "specific_user":
      return names.people.get(sender.userId) ?? unnamed(sender.userId);
    case "rotation":
      return `Rotation “${names.rotations.get(sender.rotationId) ?? sender.rotationId}”`;
    case "default_sender":
      return "Default sender";
  }
}

function describeFallback({ fallback }: Policy, { names }: Nameable): string {
  const { rotationId, ...others } = fallback;
  const rotation = rotationId === null ? null : (names.rotations.get(rotationId) ?? rotationId);
  return `${fallbackInWords({ rotation, ...others })}.`;
}

function sentenceCase(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
