-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "crashes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "retries" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "portal_drains" ADD COLUMN     "circuit_open_until" TIMESTAMPTZ(3),
ADD COLUMN     "circuit_opened_at" TIMESTAMPTZ(3),
ADD COLUMN     "circuit_reason" TEXT,
ADD COLUMN     "circuit_trips" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "alert_webhook_url" TEXT;

-- CreateTable
CREATE TABLE "alerts" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "outcome" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE INDEX "alerts_outcome_due_at_idx" ON "alerts"("outcome", "due_at");
