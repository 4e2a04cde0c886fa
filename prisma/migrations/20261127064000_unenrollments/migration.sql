-- CreateTable
CREATE TABLE "unenroll_setups" (
    "portal_id" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "flow_id" TEXT,
    "revision_id" TEXT,
    "has_made_property" BOOLEAN NOT NULL DEFAULT false,
    "problem" TEXT,
    "problem_at" TIMESTAMPTZ(3),
    "checked_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "last_problem" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "unenroll_setups_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "unenrollments" (
    "portal_id" BIGINT NOT NULL,
    "execution_id" BIGINT NOT NULL,
    "contact_id" TEXT,
    "state" TEXT NOT NULL,
    "outcome" TEXT,
    "sequence_id" TEXT NOT NULL,
    "sequence_name" TEXT NOT NULL,
    "enrolled_at" TIMESTAMPTZ(3),
    "stamp" TEXT,
    "stamped_at" TIMESTAMPTZ(3),
    "stamps" INTEGER NOT NULL DEFAULT 0,
    "rounds" INTEGER NOT NULL DEFAULT 1,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "last_problem" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "unenrollments_pkey" PRIMARY KEY ("portal_id","execution_id")
);

-- What is still to be done, by when it is due (src/domain/unenroll/unenrollments.ts).
CREATE INDEX "unenrollments_open" ON "unenrollments"("portal_id", "due_at", "execution_id") WHERE "state" <> 'DONE';

-- Others of the same contact: a contact has one stamp at a time.
CREATE INDEX "unenrollments_of_contact" ON "unenrollments"("portal_id", "contact_id") WHERE "state" <> 'DONE';
