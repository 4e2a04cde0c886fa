/** @jsxImportSource react */
import { EmptyState, Flex, Heading, Statistics, StatisticsItem, Text } from "@hubspot/ui-extensions";
import type { Overview } from "./settings-api.ts";

export interface TodayProps {
  today: Overview["today"];
  timeZone: string;
}

/** What became of the contacts that came in since midnight, and how many wait. */
export function Today({ today, timeZone }: TodayProps) {
  const { enrolled, alreadyEnrolled, skipped, failed, waiting, isPartial } = today;
  const isEmpty = enrolled + alreadyEnrolled + skipped + failed + waiting === 0;
  if (isEmpty) {
    return (
      <EmptyState title="No contacts today yet" layout="horizontal" imageName="contacts">
        <Text>
          Add the action "Enroll in sequence" to a contact workflow. What happens to its contacts is counted
          here.
        </Text>
      </EmptyState>
    );
  }
  return (
    <Flex direction="column" gap="small">
      <Heading>Contacts today</Heading>
      <Statistics>
        <StatisticsItem label="Enrolled" number={enrolled} />
        <StatisticsItem label="Already in a sequence" number={alreadyEnrolled} />
        <StatisticsItem label="Skipped" number={skipped} />
        <StatisticsItem label="Not enrolled" number={failed} />
        <StatisticsItem label="Waiting now" number={waiting} />
      </Statistics>
      <Text variant="microcopy">
        Since midnight, {timeZone.replaceAll("_", " ")}.
        {isPartial ? " There are more than are counted here; the settings site has them all." : ""}
      </Text>
    </Flex>
  );
}
