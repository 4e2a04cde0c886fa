-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "portals" (
    "portal_id" BIGINT NOT NULL,
    "status" TEXT NOT NULL,
    "disconnected_reason" TEXT,
    "hub_domain" TEXT,
    "ui_domain" TEXT,
    "time_zone" TEXT,
    "authorized_by_user_id" BIGINT,
    "authorized_by_email" TEXT,
    "scopes" TEXT[],
    "installed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "directory_requested_at" TIMESTAMPTZ(3),
    "directory_synced_at" TIMESTAMPTZ(3),
    "directory_error" TEXT,

    CONSTRAINT "portals_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "portal_tokens" (
    "portal_id" BIGINT NOT NULL,
    "access_token_sealed" TEXT NOT NULL,
    "refresh_token_sealed" TEXT NOT NULL,
    "access_expires_at" TIMESTAMPTZ(3) NOT NULL,
    "refresh_lease_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "portal_tokens_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "portal_settings" (
    "portal_id" BIGINT NOT NULL,
    "default_sender_user_id" BIGINT,
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "portal_settings_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "redeemed_states" (
    "nonce" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "redeemed_states_pkey" PRIMARY KEY ("nonce")
);

-- CreateTable
CREATE TABLE "sequences" (
    "portal_id" BIGINT NOT NULL,
    "sequence_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "folder_id" TEXT,
    "is_listed" BOOLEAN NOT NULL,

    CONSTRAINT "sequences_pkey" PRIMARY KEY ("portal_id","sequence_id")
);

-- CreateTable
CREATE TABLE "owners" (
    "portal_id" BIGINT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "user_id" BIGINT,
    "email" TEXT,
    "first_name" TEXT,
    "last_name" TEXT,
    "type" TEXT NOT NULL,
    "is_archived" BOOLEAN NOT NULL,

    CONSTRAINT "owners_pkey" PRIMARY KEY ("portal_id","owner_id")
);

-- CreateTable
CREATE TABLE "users" (
    "portal_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "email" TEXT,
    "first_name" TEXT,
    "last_name" TEXT,
    "super_admin" BOOLEAN NOT NULL,
    "seat_names" TEXT[],
    "is_listed" BOOLEAN NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("portal_id","user_id")
);

-- CreateTable
CREATE TABLE "portal_drains" (
    "portal_id" BIGINT NOT NULL,
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "is_released" BOOLEAN NOT NULL DEFAULT true,
    "acquired_at" TIMESTAMPTZ(3),
    "request_slots_free_at" TIMESTAMPTZ(3)[],

    CONSTRAINT "portal_drains_pkey" PRIMARY KEY ("portal_id")
);

-- CreateTable
CREATE TABLE "executions" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "callback_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "accepted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deadline_at" TIMESTAMPTZ(3) NOT NULL,
    "contact_id" TEXT NOT NULL,
    "contact_email" TEXT,
    "workflow_id" TEXT,
    "sequence_id" TEXT,
    "request" JSONB NOT NULL,
    "epoch" BIGINT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "first_attempt_at" TIMESTAMPTZ(3),
    "sender_user_id" BIGINT,
    "sender_email" TEXT,
    "last_problem" TEXT,
    "execution_state" TEXT,
    "enrollment_status" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "enrollment_id" TEXT,
    "enrolled_at" TIMESTAMPTZ(3),
    "sequence_name" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "completion_tries" INTEGER NOT NULL DEFAULT 0,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "executions_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE INDEX "redeemed_states_expires_at_idx" ON "redeemed_states"("expires_at");

-- CreateIndex
CREATE INDEX "owners_portal_id_user_id_idx" ON "owners"("portal_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "executions_portal_id_callback_id_key" ON "executions"("portal_id", "callback_id");

-- AddForeignKey
ALTER TABLE "portal_tokens" ADD CONSTRAINT "portal_tokens_portal_id_fkey" FOREIGN KEY ("portal_id") REFERENCES "portals"("portal_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "portal_settings" ADD CONSTRAINT "portal_settings_portal_id_fkey" FOREIGN KEY ("portal_id") REFERENCES "portals"("portal_id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Work still to do, in the order it falls due: partial, so finished history costs the hot path nothing.
CREATE INDEX "executions_work_due" ON "executions"("portal_id", "due_at", "id") WHERE "state" IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN');

-- Completions owed to HubSpot.
CREATE INDEX "executions_completion_due" ON "executions"("portal_id", "due_at", "id") WHERE "state" = 'DECIDED';
