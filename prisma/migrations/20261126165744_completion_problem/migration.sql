-- Nullable and without a default: no row is rewritten.
ALTER TABLE "executions" ADD COLUMN "completion_problem" TEXT;
