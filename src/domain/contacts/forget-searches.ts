import type { PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Stands for what an admin typed to find someone. */
export const REMOVED = "(removed)";

/** SQL: a job's filter without what identifies a person: for ended jobs, which no longer need it. */
export const FILTER_WITHOUT_WHOM = `CASE WHEN filter ?| ARRAY['search', 'contactId']
  THEN (filter - 'contactId') || jsonb_build_object('search', '${REMOVED}') ELSE filter END`;

/**
 * Deletes what admins typed to find the contact, from bulk jobs and from the audit entries about them. A running job
 * with such a search is stopped: without the search it would apply to everyone.
 *
 * `$1` the portal, `$2` words that identify erased contacts: their ids, addresses and names. A search names the contact if it is a part of
 * such a word, but not a whole domain, or a list that contains one.
 */
const FORGET_SEARCHES = `
  WITH job AS (
    UPDATE bulk_jobs
       SET filter = (filter - 'contactId') || jsonb_build_object('search', '${REMOVED}'),
           state = CASE WHEN state = 'RUNNING' THEN 'STOPPED' ELSE state END,
           ended_at = coalesce(ended_at, now()),
           stopped_reason = CASE WHEN state = 'RUNNING' THEN 'The contact it was for was deleted in HubSpot.' ELSE stopped_reason END
     WHERE portal_id = $1 AND EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE ${namesContact("filter")})
  )
  UPDATE audit_entries
     SET subject_name = '${REMOVED}',
         after = jsonb_set(after, '{filter}', (after -> 'filter') - 'contactId' || jsonb_build_object('search', '${REMOVED}'))
   WHERE portal_id = $1 AND subject = 'executions'
     AND EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE ${namesContact("(after -> 'filter')")})`;

/** The first answer to a request that named the contact: asked again, an API client is told only the outcome. */
const FORGET_ANSWERS = `
  UPDATE api_requests SET body = NULL
   WHERE portal_id = $1 AND EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE strpos(lower(body), lower(word)) > 0)`;

function namesContact(filter: string): string {
  const [whole, search] = ["lower(word)", `lower(${filter} ->> 'search')`];
  return `((strpos(${whole}, ${search}) > 0 AND NOT starts_with(${search}, '@')) OR strpos(${search}, ${whole}) > 0 OR word = ${filter} ->> 'contactId')`;
}

/** Words that identify erased contacts: ids, addresses and names. */
export interface ErasedWords {
  readonly portalId: PortalId;
  readonly words: readonly string[];
}

/** Removes what admins typed to find erased contacts, and what is kept of answers that named them. */
export async function forgetSearches(client: PoolClient, erased: readonly ErasedWords[]): Promise<void> {
  for (const { portalId, words } of erased) {
    await client.query(FORGET_SEARCHES, [portalId, words]);
    await client.query(FORGET_ANSWERS, [portalId, words]);
  }
}
