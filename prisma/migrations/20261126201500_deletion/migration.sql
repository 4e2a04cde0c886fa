-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "erased_before" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "portals" ADD COLUMN     "disconnected_at" TIMESTAMPTZ(3),
ADD COLUMN     "erasure_told_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "past_calls" (
    "portal_id" BIGINT NOT NULL,
    "call_key" BYTEA NOT NULL,

    CONSTRAINT "past_calls_pkey" PRIMARY KEY ("portal_id","call_key")
);
