-- migrate: no-transaction
-- What became of those enrolled in a stretch of time (src/domain/history/report-ends.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "followed_enrollments_decided" ON "followed_enrollments"("portal_id", "decided_at");
