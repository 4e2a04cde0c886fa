-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "alert_secret_sealed" TEXT,
ADD COLUMN     "alert_webhook_sealed" TEXT;
