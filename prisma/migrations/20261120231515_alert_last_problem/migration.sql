-- AlterTable
ALTER TABLE "alerts" ADD COLUMN     "last_problem" TEXT;
