-- AlterTable
ALTER TABLE "imports" ADD COLUMN     "choices" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "forget_after" INTEGER,
ADD COLUMN     "problem" TEXT,
ADD COLUMN     "source" TEXT NOT NULL DEFAULT 'FILE',
ADD COLUMN     "source_at" JSONB,
ADD COLUMN     "source_facts" JSONB,
ADD COLUMN     "source_id" TEXT,
ADD COLUMN     "source_key" TEXT,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "import_rows" ADD COLUMN     "foreseen" TEXT;
