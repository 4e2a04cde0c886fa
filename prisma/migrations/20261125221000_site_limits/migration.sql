-- AlterTable
ALTER TABLE "bulk_jobs" ADD COLUMN     "stepped_at" TIMESTAMPTZ(3),
ADD COLUMN     "stopped_reason" TEXT;

-- Looked for by the workers every second or so, portal by portal, and counted before another is taken on.
DROP INDEX "bulk_jobs_running";
CREATE INDEX "bulk_jobs_running" ON "bulk_jobs"("portal_id", "id") WHERE "state" = 'RUNNING';

-- AlterTable
ALTER TABLE "portal_tokens" ADD COLUMN     "granted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
