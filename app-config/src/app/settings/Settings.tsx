/** @jsxImportSource react */
import { Divider, Flex, LoadingSpinner } from "@hubspot/ui-extensions";
import { useState } from "react";
import { Attention } from "./Attention.tsx";
import { DefaultsSection } from "./DefaultsSection.tsx";
import { Failure } from "./Failure.tsx";
import { MoreSettings } from "./MoreSettings.tsx";
import type { SettingsApi } from "./settings-api.ts";
import { PauseControl } from "./PauseControl.tsx";
import { Status } from "./Status.tsx";
import { Today } from "./Today.tsx";
import { useAnswer } from "./use-answer.ts";

export interface SettingsProps {
  api: SettingsApi;
  /** Of the person looking, e.g. "de-de"; undefined: the browser's. */
  locale?: string | undefined;
  onSaved: (message: string) => void;
}

/** The app's settings tab: is it working, what happened today, the two choices most asked for, and the way to the rest. */
export function Settings({ api: given, locale, onSaved }: SettingsProps) {
  // HubSpot renders the entry again whenever it likes: what it was first given stays.
  const [api] = useState(given);
  const { answer, reload } = useAnswer(api.readOverview);
  if (answer === undefined) {
    return <LoadingSpinner label="Loading settings" showLabel={true} size="md" layout="centered" />;
  }
  if (answer.kind !== "answered") return <Failure failure={answer} onRetry={reload} />;
  const overview = answer.value;
  return (
    <Flex direction="column" gap="medium">
      <Status overview={overview} locale={locale} />
      {overview.mayChange && (
        <PauseControl
          api={api}
          isPaused={overview.pausedSince !== null}
          onSaved={onSaved}
          onChanged={reload}
        />
      )}
      <Attention items={overview.attention} />
      <Divider />
      <Today today={overview.today} timeZone={overview.timeZone} />
      <Divider />
      <DefaultsSection api={api} mayChange={overview.mayChange} onSaved={onSaved} />
      <Divider />
      <MoreSettings siteUrl={overview.siteUrl} onReload={reload} />
    </Flex>
  );
}
