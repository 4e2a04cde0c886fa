-- How an enrollment ended is something that the API shows of it, but stands in a row beside it: that it became known is a change of the
-- enrollment (docs/decisions/016). Whoever writes ends holds the executions first (src/domain/ends/open-enrollments.ts).
CREATE FUNCTION "stamp_enrollment_end"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  UPDATE executions SET updated_at = greatest(enrollment_change_time(), updated_at + interval '1 millisecond')
   WHERE portal_id = NEW.portal_id AND id = NEW.execution_id;
  RETURN NULL;
END $$;

CREATE TRIGGER "followed_enrollments_end" AFTER UPDATE ON "followed_enrollments" FOR EACH ROW
  WHEN (OLD.outcome IS DISTINCT FROM NEW.outcome OR OLD.ended_at IS DISTINCT FROM NEW.ended_at)
  EXECUTE FUNCTION "stamp_enrollment_end"();
