-- migrate: no-transaction
-- executions_results has the same order and more columns: the release before reads it instead.
DROP INDEX CONCURRENTLY IF EXISTS "executions_decided";
