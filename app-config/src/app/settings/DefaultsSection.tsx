/** @jsxImportSource react */
import { Flex, Heading, LoadingSpinner } from "@hubspot/ui-extensions";
import { DefaultsForm } from "./DefaultsForm.tsx";
import { Failure } from "./Failure.tsx";
import type { SettingsApi } from "./settings-api.ts";
import { useAnswer } from "./use-answer.ts";

export interface DefaultsSectionProps {
  api: SettingsApi;
  mayChange: boolean;
  onSaved: (message: string) => void;
}

/** Loads the defaults by themselves, so that the status above does not wait for them. */
export function DefaultsSection({ api, mayChange, onSaved }: DefaultsSectionProps) {
  const { answer, reload } = useAnswer(api.readDefaults);
  return (
    <Flex direction="column" gap="small">
      <Heading>Defaults</Heading>
      {answer === undefined && <LoadingSpinner label="Loading defaults" showLabel={true} />}
      {answer?.kind === "answered" && (
        <DefaultsForm api={api} loaded={answer.value} mayChange={mayChange} onSaved={onSaved} />
      )}
      {answer !== undefined && answer.kind !== "answered" && <Failure failure={answer} onRetry={reload} />}
    </Flex>
  );
}
