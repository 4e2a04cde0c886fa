-- migrate: no-transaction
-- May have been sent, and nobody knows as whom, since the database was brought back to an earlier moment: counts against
-- every sender's cap until it is read. A retry that waits for its first reading is not among them. Empty at most times.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "executions_sent_as_nobody_known" ON "executions"("portal_id") WHERE "state" = 'UNCERTAIN' AND "sender_user_id" IS NULL AND "attempts" > 0;
