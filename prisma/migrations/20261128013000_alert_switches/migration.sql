-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN "alert_off_kinds" TEXT[] DEFAULT ARRAY[]::TEXT[];
