-- Nullable and without a default: no row is rewritten.
ALTER TABLE "executions" ADD COLUMN "completion_doubted_at" TIMESTAMPTZ(3);
