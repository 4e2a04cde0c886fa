-- AlterTable
ALTER TABLE "alerts" ADD COLUMN     "page" TEXT;
