-- AlterTable
ALTER TABLE "portal_drains" ADD COLUMN     "waiters_woken_at" TIMESTAMPTZ(3);
