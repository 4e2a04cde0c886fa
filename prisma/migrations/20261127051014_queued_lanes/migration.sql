-- migrate: no-transaction
-- Each lane is claimed in its own order, however long another one's backlog (src/domain/executions/claim.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_queued_lanes" ON "executions"("portal_id", "lane", "due_at", "id") WHERE "state" = 'QUEUED';
