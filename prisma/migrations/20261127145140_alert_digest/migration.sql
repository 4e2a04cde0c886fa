-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "alert_digest" TEXT;
