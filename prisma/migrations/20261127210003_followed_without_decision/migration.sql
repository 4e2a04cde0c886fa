-- migrate: no-transaction
-- followed_enrollments_results has the same order and more columns: the release before reads it instead.
DROP INDEX CONCURRENTLY IF EXISTS "followed_enrollments_decided";
