-- migrate: no-transaction
-- Enrollments in the order of their changes, for a program that syncs (src/domain/enrollments/list-enrollments.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_by_change" ON "executions"("portal_id", "updated_at", "id") WHERE "kind" = 'ENROLL';
