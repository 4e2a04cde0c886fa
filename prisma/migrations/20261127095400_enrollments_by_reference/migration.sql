-- migrate: no-transaction
-- Who has a reference: a row of a batch is accepted once (src/domain/enrollments/accept-batch.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_by_reference" ON "executions"("portal_id", "reference", "id") WHERE "reference" IS NOT NULL;
