-- CreateTable
CREATE TABLE "followed_enrollments" (
    "portal_id" BIGINT NOT NULL,
    "execution_id" BIGINT NOT NULL,
    "sequence_id" TEXT,
    "sender_user_id" BIGINT,
    "workflow_id" TEXT,
    "decided_at" TIMESTAMPTZ(3) NOT NULL,
    "enrolled_at" TIMESTAMPTZ(3) NOT NULL,
    "next_look_at" TIMESTAMPTZ(3),
    "looked_at" TIMESTAMPTZ(3),
    "shown_enrolled_at" TIMESTAMPTZ(3),
    "left_at" TIMESTAMPTZ(3),
    "outcome" TEXT,
    "ended_at" TIMESTAMPTZ(3),
    "noted_at" TIMESTAMPTZ(3),
    "lost_because" TEXT,
    "opened_at" TIMESTAMPTZ(3),
    "clicked_at" TIMESTAMPTZ(3),
    "replied_at" TIMESTAMPTZ(3),
    "meeting_at" TIMESTAMPTZ(3),

    CONSTRAINT "followed_enrollments_pkey" PRIMARY KEY ("portal_id","execution_id")
);

-- CreateTable
CREATE TABLE "follow_progress" (
    "portal_id" BIGINT NOT NULL,
    "followed_to" TIMESTAMPTZ(3),
    "next_request_at" TIMESTAMPTZ(3),

    CONSTRAINT "follow_progress_pkey" PRIMARY KEY ("portal_id")
);

-- Which are to be looked at, and those whose end became known, in the order in which it was noted.
CREATE INDEX "followed_enrollments_due" ON "followed_enrollments"("portal_id", "next_look_at", "execution_id") WHERE "next_look_at" IS NOT NULL;
CREATE INDEX "followed_enrollments_noted" ON "followed_enrollments"("portal_id", "noted_at", "execution_id") WHERE "noted_at" IS NOT NULL;
