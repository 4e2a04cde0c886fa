/** @jsxImportSource react */
import { Alert, Flex, Heading, Link, StatusTag, Text } from "@hubspot/ui-extensions";
import type { Overview } from "./settings-api.ts";

export interface StatusProps {
  overview: Overview;
  locale?: string | undefined;
}

/** One word for how it goes, and below it each thing that is wrong with what to do about it. */
export function Status({ overview, locale }: StatusProps) {
  const { connection, pausedSince, trouble, timeZone, siteUrl } = overview;
  const at = (instant: string): string => formatInstant(instant, { locale, timeZone });
  const site = <Link href={{ url: siteUrl, external: true }}>Sequence Enroller settings</Link>;
  return (
    <Flex direction="column" gap="small">
      <Flex direction="row" gap="small" align="center">
        <Heading>Sequence Enroller</Heading>
        <Summary overview={overview} />
      </Flex>
      {!connection.isConnected && (
        <Alert variant="danger" title="Not connected to HubSpot">
          <Text>
            {connection.disconnectedReason ?? "The connection was ended."} Reinstall the app to continue.
          </Text>
        </Alert>
      )}
      {connection.isConnected && connection.missingScopes.length > 0 && (
        <Alert variant="danger" title="Permissions are missing">
          <Text>
            Reinstall the app and grant: {connection.missingScopes.join(", ")}. Until then, contacts can't be
            enrolled.
          </Text>
        </Alert>
      )}
      {pausedSince !== null && (
        <Alert variant="warning" title="Enrollment is paused">
          <Text>
            Since {at(pausedSince)}. Contacts are waiting and will be enrolled when you resume. {site}
          </Text>
        </Alert>
      )}
      {typeof trouble?.ownFault === "string" && (
        <Alert variant="warning" title="Sequence Enroller has a problem">
          <Text>
            Since {at(trouble.since)}. {trouble.ownFault} No contacts are lost.
          </Text>
        </Alert>
      )}
      {trouble !== null && typeof trouble.ownFault !== "string" && (
        <Alert variant="warning" title="HubSpot isn't responding">
          <Text>
            Since {at(trouble.since)}. We retry automatically, next at {at(trouble.restsUntil)}. No contacts
            are lost.
            {trouble.lastFailure === null ? "" : ` Last response: ${trouble.lastFailure}`}
          </Text>
        </Alert>
      )}
    </Flex>
  );
}

function Summary({ overview: { connection, pausedSince, trouble } }: Pick<StatusProps, "overview">) {
  if (!connection.isConnected) return <StatusTag variant="danger">Disconnected</StatusTag>;
  if (connection.missingScopes.length > 0) return <StatusTag variant="danger">Needs permissions</StatusTag>;
  if (pausedSince !== null) return <StatusTag variant="warning">Paused</StatusTag>;
  if (typeof trouble?.ownFault === "string") return <StatusTag variant="danger">Problem</StatusTag>;
  if (trouble !== null) return <StatusTag variant="warning">Waiting for HubSpot</StatusTag>;
  return <StatusTag variant="success">Working</StatusTag>;
}

function formatInstant(
  instant: string,
  { locale, timeZone }: { locale: string | undefined; timeZone: string },
): string {
  return new Date(instant).toLocaleString(locale, { timeZone, dateStyle: "medium", timeStyle: "short" });
}
