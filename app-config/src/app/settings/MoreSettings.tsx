/** @jsxImportSource react */
import { Button, Flex, Heading, Link, Text } from "@hubspot/ui-extensions";

export interface MoreSettingsProps {
  siteUrl: string;
  onReload: () => void;
}

const PAGES = [
  { path: "/activity", label: "Activity" },
  { path: "/reports", label: "Reports" },
  { path: "/workflows", label: "Workflows" },
  { path: "/senders", label: "Senders" },
  { path: "/rotations", label: "Rotations" },
  { path: "/presets", label: "Presets" },
  { path: "/alerts", label: "Alerts" },
] as const;

export function MoreSettings({ siteUrl, onReload }: MoreSettingsProps) {
  return (
    <Flex direction="column" gap="small">
      <Heading>More</Heading>
      <Text>Manage senders, rotations, presets, reports, and alerts in Sequence Enroller.</Text>
      <Flex direction="row" gap="small" align="center" wrap={true}>
        {PAGES.map(({ path, label }) => (
          <Link key={path} href={{ url: `${siteUrl}${path}`, external: true }}>
            {label}
          </Link>
        ))}
        <Link href={{ url: siteUrl, external: true }}>Sequence Enroller settings</Link>
        <Button size="sm" variant="transparent" onClick={onReload}>
          Refresh
        </Button>
      </Flex>
    </Flex>
  );
}
