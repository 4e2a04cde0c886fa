-- AlterTable
ALTER TABLE "portal_drains" ADD COLUMN     "circuit_cause" TEXT;

-- AlterTable
ALTER TABLE "portal_tokens" ADD COLUMN     "refresh_not_before" TIMESTAMPTZ(3);
