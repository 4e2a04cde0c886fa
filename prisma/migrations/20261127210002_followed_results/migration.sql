-- migrate: no-transaction
-- What became of those enrolled in a stretch of time, read from here without the rows themselves (src/domain/history/report-ends.ts).
CREATE INDEX CONCURRENTLY IF NOT EXISTS "followed_enrollments_results" ON "followed_enrollments"("portal_id", "decided_at")
  INCLUDE ("sequence_id", "sender_user_id", "workflow_id", "looked_at", "lost_because", "outcome", "opened_at", "clicked_at", "replied_at", "meeting_at")
  -- Of every row: as an index of a part, it may hold columns that are not its key, which schema.prisma cannot say.
  WHERE "decided_at" IS NOT NULL;
