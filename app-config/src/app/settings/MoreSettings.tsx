/** @jsxImportSource react */
import { Button, Flex, Heading, Link, Text } from "@hubspot/ui-extensions";

export interface MoreSettingsProps {
  siteUrl: string;
  onReload: () => void;
}

export function MoreSettings({ siteUrl, onReload }: MoreSettingsProps) {
  return (
    <Flex direction="column" gap="small">
      <Heading>More</Heading>
      <Text>
        Each contact's story, senders, rotations, presets, reports and alerts are on the app's own site.
      </Text>
      <Flex direction="row" gap="small" align="center">
        <Link href={{ url: siteUrl, external: true }}>Open the settings site</Link>
        <Button size="sm" variant="transparent" onClick={onReload}>
          Refresh
        </Button>
      </Flex>
    </Flex>
  );
}
