/** @jsxImportSource react */
import { Button, ErrorState, Text } from "@hubspot/ui-extensions";
import type { Answer } from "./settings-api.ts";

export interface FailureProps {
  failure: Exclude<Answer<unknown>, { kind: "answered" }>;
  onRetry: () => void;
}

const TITLES: Readonly<Record<string, string>> = {
  NOT_AN_ADMIN: "For admins only",
  NOT_INSTALLED: "The app is not installed",
};

/** Says what is in the way; a refusal of the person asking looks different from our own fault. */
export function Failure({ failure, onRetry }: FailureProps) {
  if (failure.kind === "unreachable") {
    return (
      <ErrorState type="error" title="Settings could not be loaded">
        <Text>
          The app's server did not answer. Contacts that are already in the app are kept and will be enrolled.
        </Text>
        <Button onClick={onRetry}>Try again</Button>
      </ErrorState>
    );
  }
  const title = TITLES[failure.code];
  return (
    <ErrorState type={title === undefined ? "error" : "lock"} title={title ?? "Settings could not be loaded"}>
      <Text>{failure.message}</Text>
      <Button onClick={onRetry}>Try again</Button>
    </ErrorState>
  );
}
