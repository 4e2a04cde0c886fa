-- CreateTable
CREATE TABLE "imports" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'UPLOADING',
    "columns" JSONB NOT NULL DEFAULT '[]',
    "mapping" JSONB NOT NULL DEFAULT '{}',
    "defaults" JSONB NOT NULL DEFAULT '{}',
    "row_count" INTEGER NOT NULL DEFAULT 0,
    "checked_rows" INTEGER NOT NULL DEFAULT 0,
    "handed_rows" INTEGER NOT NULL DEFAULT 0,
    "foreseen" JSONB NOT NULL DEFAULT '{}',
    "is_cancelling" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "leased_until" TIMESTAMPTZ(3) NOT NULL DEFAULT '-infinity'::timestamp with time zone,

    CONSTRAINT "imports_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateTable
CREATE TABLE "import_rows" (
    "portal_id" BIGINT NOT NULL,
    "import_id" BIGINT NOT NULL,
    "row_number" INTEGER NOT NULL,
    "cells" JSONB NOT NULL,
    "contact_key" TEXT,
    "contact_id" TEXT,
    "result" TEXT,
    "reason_code" TEXT,
    "reason" TEXT,
    "execution_id" BIGINT,

    CONSTRAINT "import_rows_pkey" PRIMARY KEY ("portal_id","import_id","row_number")
);

-- What a worker has to go on with; rows by their contact, for duplicates and privacy deletions; rows whose end is open.
CREATE INDEX "imports_under_way" ON "imports"("leased_until") WHERE "state" IN ('CHECKING', 'RUNNING') OR "is_cancelling";
CREATE INDEX "import_rows_by_key" ON "import_rows"("portal_id", "contact_key", "import_id", "row_number") WHERE "contact_key" IS NOT NULL;
CREATE INDEX "import_rows_by_contact" ON "import_rows"("portal_id", "contact_id") WHERE "contact_id" IS NOT NULL;
CREATE INDEX "import_rows_open" ON "import_rows"("portal_id", "import_id", "row_number") WHERE "execution_id" IS NOT NULL AND "result" IS NULL;
