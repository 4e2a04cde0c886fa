-- migrate: no-transaction
-- Finished executions by any part of their contact's name or address (src/domain/contacts/rows-by-part.ts). Those still open are left
-- out, as in executions_by_email: accepting and attempting pay nothing for it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_by_part" ON "executions" USING gin (
  part_keys("portal_id", lower(coalesce("contact_email", '') || ' ' || coalesce("request" #>> '{properties,firstname}', '') || ' ' || coalesce("request" #>> '{properties,lastname}', '')))
) WHERE "state" IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED');
