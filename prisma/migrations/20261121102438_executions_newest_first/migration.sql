-- CreateIndex
CREATE INDEX "executions_portal_id_accepted_at_id_idx" ON "executions"("portal_id", "accepted_at", "id");
