-- When what the API shows of an enrollment last changed: what a program syncs by (docs/decisions/016). Kept by the database, so that
-- no statement can forget it, and a running older release keeps it, too.
--
-- The transaction has its number before it reads the clock: src/domain/enrollments/change-fence.ts counts on this.
CREATE FUNCTION "enrollment_change_time"() RETURNS TIMESTAMPTZ LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_current_xact_id();
  RETURN date_trunc('milliseconds', clock_timestamp());
END $$;

-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now();
ALTER TABLE "executions" ALTER COLUMN "updated_at" SET DEFAULT enrollment_change_time();

-- The same; and even if the clock was set back, a row's time goes forward. One expression: a second would cost as much again.
CREATE FUNCTION "stamp_enrollment_change"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := CASE WHEN pg_current_xact_id() IS NOT NULL
                         THEN greatest(date_trunc('milliseconds', clock_timestamp()), OLD.updated_at + interval '1 millisecond') END;
  RETURN NEW;
END $$;

-- What a completion's delivery changes is not shown, nor is when a doubtful attempt is read next.
CREATE TRIGGER "executions_change" BEFORE UPDATE ON "executions" FOR EACH ROW WHEN (
  NEW.kind = 'ENROLL' AND (
    (NEW.decided_at IS NULL AND (OLD.state <> NEW.state OR OLD.attempts <> NEW.attempts OR (NEW.state <> 'UNCERTAIN' AND OLD.due_at <> NEW.due_at)))
    OR (OLD.decided_at IS NULL AND NEW.decided_at IS NOT NULL)
    OR OLD.contact_id <> NEW.contact_id
    OR (OLD.contact_email, OLD.sender_user_id, OLD.sender_email, OLD.enrollment_status, OLD.error_code, OLD.error_message, OLD.enrollment_id, OLD.enrolled_at, OLD.sequence_name)
       IS DISTINCT FROM
       (NEW.contact_email, NEW.sender_user_id, NEW.sender_email, NEW.enrollment_status, NEW.error_code, NEW.error_message, NEW.enrollment_id, NEW.enrolled_at, NEW.sequence_name))
) EXECUTE FUNCTION "stamp_enrollment_change"();
