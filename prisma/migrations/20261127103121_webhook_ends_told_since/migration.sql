-- AlterTable
ALTER TABLE "webhook_subscriptions" ADD COLUMN     "ends_told_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
