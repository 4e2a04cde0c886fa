-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "has_waited" BOOLEAN NOT NULL DEFAULT false;
