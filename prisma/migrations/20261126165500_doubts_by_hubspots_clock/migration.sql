-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "doubted_at" TIMESTAMPTZ(3),
ADD COLUMN     "first_sent_at" TIMESTAMPTZ(3);
