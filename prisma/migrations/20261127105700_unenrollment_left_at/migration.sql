-- AlterTable
ALTER TABLE "unenrollments" ADD COLUMN     "left_at" TIMESTAMPTZ(3);
