/** @jsxImportSource react */
import { Alert, Flex, LoadingButton, Select, Text } from "@hubspot/ui-extensions";
import { useState } from "react";
import type { Choice, Defaults, SettingsApi } from "./settings-api.ts";

export interface DefaultsFormProps {
  api: SettingsApi;
  loaded: Defaults;
  /** False: they are shown, and cannot be changed. */
  mayChange: boolean;
  onSaved: (message: string) => void;
}

type Problem = { title: string; message: string };

const NOT_SAVED: Problem = {
  title: "Not saved",
  message: "The app's server did not answer. Try again in a minute.",
};

/** A select holds texts; this one stands for no choice and is no id. */
const NONE = "none";

/** Both defaults, saved together. Where somebody else saved meanwhile, what they saved is shown before it can be changed. */
export function DefaultsForm({ api, loaded, mayChange, onSaved }: DefaultsFormProps) {
  const [defaults, setDefaults] = useState(loaded);
  const [senderUserId, setSender] = useState(loaded.senderUserId);
  const [presetId, setPreset] = useState(loaded.presetId);
  const [isSaving, setSaving] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const isChanged = senderUserId !== defaults.senderUserId || presetId !== defaults.presetId;

  function show(current: Defaults): void {
    setDefaults(current);
    setSender(current.senderUserId);
    setPreset(current.presetId);
  }

  async function save(): Promise<void> {
    setSaving(true);
    setProblem(undefined);
    const answer = await api.saveDefaults({ version: defaults.version, senderUserId, presetId });
    if (answer.kind === "answered") {
      show(answer.value);
      onSaved("Defaults saved.");
    } else if (answer.kind === "refused") {
      setProblem({ title: "Not saved", message: answer.message });
      const current = await api.readDefaults();
      if (current.kind === "answered") show(current.value);
    } else {
      setProblem(NOT_SAVED);
    }
    setSaving(false);
  }

  return (
    <Flex direction="column" gap="small">
      {problem !== undefined && (
        <Alert variant="warning" title={problem.title}>
          <Text>{problem.message}</Text>
        </Alert>
      )}
      <Select
        name="sender"
        label="Default sender"
        description={senderNote(defaults)}
        options={choices("No default sender", defaults.senders, defaults.senderUserId)}
        value={senderUserId ?? NONE}
        readOnly={isSaving || !mayChange}
        onChange={(value) => setSender(chosen(value))}
      />
      <Select
        name="preset"
        label="Default preset"
        description="Used when an action has no preset. Presets are made on the settings site."
        options={choices("Built-in rules", defaults.presets, defaults.presetId)}
        value={presetId ?? NONE}
        readOnly={isSaving || !mayChange}
        onChange={(value) => setPreset(chosen(value))}
      />
      <Flex direction="row">
        <LoadingButton
          variant="primary"
          loading={isSaving}
          disabled={!isChanged || isSaving || !mayChange}
          onClick={() => void save()}
        >
          Save
        </LoadingButton>
      </Flex>
    </Flex>
  );
}

function senderNote({ isSendersCut, senders }: Defaults): string {
  const use = "Used when an action or preset is set to the default sender.";
  if (!isSendersCut) return use;
  return `${use} Only ${senders.length.toLocaleString("en-US")} people are listed here; the settings site lists more.`;
}

function chosen(value: string | number | boolean): string | null {
  return value === NONE ? null : String(value);
}

/** What can be chosen; what is stored is among it even where it can no longer be. */
function choices(nothing: string, offered: Choice[], current: string | null): Choice[] {
  const isGone = current !== null && !offered.some(({ value }) => value === current);
  return [
    { value: NONE, label: nothing },
    ...offered,
    ...(isGone ? [{ value: current, label: `No longer available (${current})` }] : []),
  ];
}
