-- AlterTable
ALTER TABLE "sequences" ADD COLUMN     "hubspot_created_at" TIMESTAMPTZ(3),
ADD COLUMN     "hubspot_updated_at" TIMESTAMPTZ(3);
