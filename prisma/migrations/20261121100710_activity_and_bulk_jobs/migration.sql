-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "is_held" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "retry_of" BIGINT;

-- CreateTable
CREATE TABLE "bulk_jobs" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "action" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'RUNNING',
    "user_id" BIGINT,
    "user_email" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "before_id" BIGINT NOT NULL,
    "examined" INTEGER NOT NULL DEFAULT 0,
    "changed" INTEGER NOT NULL DEFAULT 0,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "bulk_jobs_pkey" PRIMARY KEY ("portal_id","id")
);

-- The retries of an execution. Calls of HubSpot's are not in it.
CREATE INDEX "executions_retries" ON "executions"("portal_id", "retry_of") WHERE "retry_of" IS NOT NULL;

-- What ended with a reason, by reason, newest first: rare ones are found among any number of others.
CREATE INDEX "executions_by_error" ON "executions"("portal_id", "error_code", "id") WHERE "error_code" IS NOT NULL;

-- Finished executions by address and its beginning. Those still open are left out and read from the indexes of open work, so
-- that accepting and attempting pay nothing for it.
CREATE INDEX "executions_by_email" ON "executions"("portal_id", lower("contact_email") text_pattern_ops)
  WHERE "state" IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED');

-- Looked for by the workers every second or so.
CREATE INDEX "bulk_jobs_running" ON "bulk_jobs"("id") WHERE "state" = 'RUNNING';
