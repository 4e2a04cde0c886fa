-- AlterTable
ALTER TABLE "portal_drains" ADD COLUMN     "request_allowance" INTEGER;
