/** @jsxImportSource react */
import { Alert, Button, Flex, LoadingButton, Text } from "@hubspot/ui-extensions";
import { useState } from "react";
import type { SettingsApi } from "./settings-api.ts";

export interface PauseControlProps {
  api: SettingsApi;
  isPaused: boolean;
  onSaved: (message: string) => void;
  /** Has the status read again. */
  onChanged: () => void;
}

/** Pauses enrolling once it is confirmed, or resumes it. */
export function PauseControl({ api, isPaused, onSaved, onChanged }: PauseControlProps) {
  const [isAsking, setAsking] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function change(): Promise<void> {
    setSaving(true);
    setProblem(undefined);
    const answer = await api.changePause(!isPaused);
    setSaving(false);
    if (answer.kind === "refused") return setProblem(answer.message);
    if (answer.kind === "unreachable")
      return setProblem("We couldn't reach Sequence Enroller. Try again in a minute.");
    onSaved(isPaused ? "Enrollment resumed." : "Enrollment paused.");
    onChanged();
  }

  return (
    <Flex direction="column" gap="small">
      {problem !== undefined && (
        <Alert variant="warning" title="Not changed">
          <Text>{problem}</Text>
        </Alert>
      )}
      {isAsking && (
        <Alert variant="warning" title="Pause enrollment for the whole account?">
          <Text>
            New contacts wait in their workflows until you resume, for up to six days. Contacts already in a
            sequence keep receiving its emails.
          </Text>
        </Alert>
      )}
      <Flex direction="row" gap="small">
        {isPaused || isAsking ? (
          <LoadingButton variant="primary" loading={isSaving} onClick={() => void change()}>
            {isPaused ? "Resume enrollment" : "Pause now"}
          </LoadingButton>
        ) : (
          <Button onClick={() => setAsking(true)}>Pause enrollment</Button>
        )}
        {isAsking && <Button onClick={() => setAsking(false)}>Keep running</Button>}
      </Flex>
    </Flex>
  );
}
