-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN "pause_reason" TEXT,
ADD COLUMN "paused_until" TIMESTAMPTZ(3);
