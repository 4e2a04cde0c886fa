-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "retention_days" INTEGER;
