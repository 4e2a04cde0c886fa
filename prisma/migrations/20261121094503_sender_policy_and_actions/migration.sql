-- AlterTable
ALTER TABLE "executions" ADD COLUMN     "hold_ends_at" TIMESTAMPTZ(3),
ADD COLUMN     "outputs" JSONB,
ADD COLUMN     "sender_choice" JSONB;

-- Until now every hold was asked for seven days, an hour of which is kept for the last completion.
UPDATE "executions" SET "hold_ends_at" = "accepted_at" + interval '167 hours';
ALTER TABLE "executions" ALTER COLUMN "hold_ends_at" SET NOT NULL,
ALTER COLUMN "hold_ends_at" SET DEFAULT now() + interval '167 hours';

-- AlterTable
ALTER TABLE "portal_settings" ADD COLUMN     "max_hold_days" INTEGER NOT NULL DEFAULT 30,
ADD COLUMN     "only_listed_senders" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "paused_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "senders" (
    "portal_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "is_allowed" BOOLEAN,
    "send_as_email" TEXT,
    "sender_alias" TEXT,
    "daily_cap" INTEGER,
    "window_days" INTEGER[],
    "window_start_minute" INTEGER,
    "window_end_minute" INTEGER,
    "time_zone" TEXT,
    "away" JSONB NOT NULL DEFAULT '[]',
    "refused_code" TEXT,
    "refused_message" TEXT,
    "refused_at" TIMESTAMPTZ(3),
    "limited_until" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "senders_pkey" PRIMARY KEY ("portal_id","user_id")
);

-- CreateTable
CREATE TABLE "rotations" (
    "portal_id" BIGINT NOT NULL,
    "rotation_id" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "keeps_sender" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rotations_pkey" PRIMARY KEY ("portal_id","rotation_id")
);

-- CreateTable
CREATE TABLE "rotation_members" (
    "portal_id" BIGINT NOT NULL,
    "rotation_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "weight" INTEGER NOT NULL DEFAULT 1,
    "current_weight" INTEGER NOT NULL DEFAULT 0,
    "picks" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "rotation_members_pkey" PRIMARY KEY ("portal_id","rotation_id","user_id")
);

-- CreateTable
CREATE TABLE "presets" (
    "portal_id" BIGINT NOT NULL,
    "preset_id" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "policy" JSONB NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "presets_pkey" PRIMARY KEY ("portal_id","preset_id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "user_id" BIGINT,
    "user_email" TEXT,
    "subject" TEXT NOT NULL,
    "subject_name" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "rotations_portal_id_name_key" ON "rotations"("portal_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "presets_portal_id_name_key" ON "presets"("portal_id", "name");

-- CreateIndex
CREATE INDEX "audit_entries_portal_id_at_id_idx" ON "audit_entries"("portal_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "executions_portal_id_contact_id_idx" ON "executions"("portal_id", "contact_id");

-- AddForeignKey
ALTER TABLE "rotation_members" ADD CONSTRAINT "rotation_members_portal_id_rotation_id_fkey" FOREIGN KEY ("portal_id", "rotation_id") REFERENCES "rotations"("portal_id", "rotation_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Executions that wait for a contact's sequence to end: read a hundred at a time.
CREATE INDEX "executions_watched" ON "executions"("portal_id", "due_at", "id") WHERE "state" = 'WATCHING';

-- What a sender has sent lately, for the caps.
CREATE INDEX "executions_sent" ON "executions"("portal_id", "sender_user_id", "enrolled_at") WHERE "enrollment_status" = 'ENROLLED';

-- At most one default of a portal.
CREATE UNIQUE INDEX "presets_one_default" ON "presets"("portal_id") WHERE "is_default";
