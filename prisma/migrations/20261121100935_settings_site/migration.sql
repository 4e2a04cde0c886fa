-- AlterTable
ALTER TABLE "alerts" ADD COLUMN     "channel" TEXT NOT NULL DEFAULT 'WEBHOOK';

-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "alert_email" TEXT,
ADD COLUMN     "alert_failure_count" INTEGER,
ADD COLUMN     "alert_failure_percent" INTEGER,
ADD COLUMN     "erase_requested_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "portal_admins" (
    "portal_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "added_by_user_id" BIGINT,

    CONSTRAINT "portal_admins_pkey" PRIMARY KEY ("portal_id","user_id")
);

-- CreateTable
CREATE TABLE "revoked_sessions" (
    "session_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_sessions_pkey" PRIMARY KEY ("session_id")
);

-- CreateTable
CREATE TABLE "alert_marks" (
    "portal_id" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "raised_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "alert_marks_pkey" PRIMARY KEY ("portal_id","kind")
);

-- CreateIndex
CREATE INDEX "revoked_sessions_expires_at_idx" ON "revoked_sessions"("expires_at");

-- What was decided in a stretch of time, counted by outcome and reason without reading the rows themselves.
CREATE INDEX "executions_decided" ON "executions"("portal_id", "decided_at")
  INCLUDE ("kind", "enrollment_status", "error_code") WHERE "decided_at" IS NOT NULL;
