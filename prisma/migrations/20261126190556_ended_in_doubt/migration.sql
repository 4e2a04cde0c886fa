-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "ended_in_doubt" BOOLEAN NOT NULL DEFAULT false;
