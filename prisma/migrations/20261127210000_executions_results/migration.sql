-- migrate: no-transaction
-- What reports, the overview and its causes add up, read from here without the rows themselves (src/domain/history/report.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_results" ON "executions"("portal_id", "decided_at")
  INCLUDE ("kind", "enrollment_status", "error_code", "retry_of", "id", "sequence_id", "sender_user_id", "workflow_id", "accepted_at", "enrolled_at")
  WHERE "decided_at" IS NOT NULL;
