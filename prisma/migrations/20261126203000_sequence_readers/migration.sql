-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "sequence_reader_user_id" BIGINT;

-- AlterTable
ALTER TABLE "portals" ADD COLUMN     "directory_report" JSONB;
