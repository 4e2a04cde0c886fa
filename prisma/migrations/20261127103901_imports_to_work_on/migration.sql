-- migrate: no-transaction
-- What a worker has to go on with, now with what is being read, and what may hold an erased contact. The index
-- "imports_under_way" stays for the release before; a later migration drops it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "imports_to_work_on" ON "imports"("leased_until") WHERE "state" IN ('READING', 'CHECKING', 'RUNNING') OR "is_cancelling" OR "forget_after" IS NOT NULL;
