-- What was decided in a stretch of time: counted, told apart from an admin's retries, and found by id, without reading the rows.
DROP INDEX "executions_decided";
CREATE INDEX "executions_decided" ON "executions"("portal_id", "decided_at")
  INCLUDE ("kind", "enrollment_status", "error_code", "retry_of", "id") WHERE "decided_at" IS NOT NULL;
