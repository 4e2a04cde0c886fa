-- Executions that are being attempted or have to be read first: few, and looked for among any number of queued ones.
CREATE INDEX "executions_doubtful" ON "executions"("portal_id", "state", "due_at", "id") WHERE "state" IN ('ATTEMPTING', 'UNCERTAIN');
