-- Columns that are nullable or have a constant default, and a new table: no row is rewritten.
-- AlterTable
ALTER TABLE "portals" ADD COLUMN     "is_disconnected_by_admin" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "users_read_at" TIMESTAMPTZ(3),
ADD COLUMN     "users_refused_at" TIMESTAMPTZ(3),
ADD COLUMN     "users_requested_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "is_read_alone" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "grant_revocations" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "refresh_token_sealed" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "grant_revocations_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE INDEX "grant_revocations_due_at_idx" ON "grant_revocations"("due_at");
