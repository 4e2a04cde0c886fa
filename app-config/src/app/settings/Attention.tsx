/** @jsxImportSource react */
import { Flex, Heading, Link, Text } from "@hubspot/ui-extensions";
import type { Overview } from "./settings-api.ts";

/** What an admin may want to do something about; nothing where there is nothing. */
export function Attention({ items }: { items: Overview["attention"] }) {
  if (items.length === 0) return null;
  return (
    <Flex direction="column" gap="small">
      <Heading>Needs attention</Heading>
      {items.map(({ text, url }) => (
        <Flex key={url} direction="row" gap="small" align="baseline" wrap={true}>
          <Text>{text}</Text>
          <Link href={{ url, external: true }}>See and fix</Link>
        </Flex>
      ))}
    </Flex>
  );
}
