-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "import_id" BIGINT,
ADD COLUMN     "lane" SMALLINT NOT NULL DEFAULT 0,
ADD COLUMN     "reference" TEXT,
ADD COLUMN     "source" TEXT NOT NULL DEFAULT 'workflow';
