-- What became of contacts that are gone, and enrollments that cooldowns still ask for: new and empty tables.
-- CreateTable
CREATE TABLE "contact_fates" (
    "portal_id" BIGINT NOT NULL,
    "contact_key" TEXT NOT NULL,
    "became_id" TEXT,
    "told_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "contact_fates_pkey" PRIMARY KEY ("portal_id","contact_key")
);

-- CreateTable
CREATE TABLE "contact_fate_checks" (
    "portal_id" BIGINT NOT NULL,
    "checked_id" BIGINT NOT NULL,

    CONSTRAINT "contact_fate_checks_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "past_enrollments" (
    "portal_id" BIGINT NOT NULL,
    "contact_id" TEXT NOT NULL,
    "sequence_id" TEXT NOT NULL,
    "enrolled_at" TIMESTAMPTZ(3) NOT NULL,
    "sender_user_id" BIGINT,
    "kept_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "past_enrollments_pkey" PRIMARY KEY ("portal_id","contact_id","sequence_id")
);

-- CreateIndex
CREATE INDEX "contact_fates_portal_id_became_id_idx" ON "contact_fates"("portal_id", "became_id");

-- CreateIndex
CREATE INDEX "contact_fates_told_at_idx" ON "contact_fates"("told_at");

-- CreateIndex
CREATE INDEX "past_enrollments_kept_until_idx" ON "past_enrollments"("kept_until");
