-- AlterTable
ALTER TABLE "alerts" ADD COLUMN     "reached" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "refusals" JSONB NOT NULL DEFAULT '{}';
