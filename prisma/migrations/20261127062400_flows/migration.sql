-- AlterTable
ALTER TABLE "portals" ADD COLUMN     "flows_problem" TEXT,
ADD COLUMN     "flows_read_at" TIMESTAMPTZ(3),
ADD COLUMN     "flows_report" JSONB,
ADD COLUMN     "flows_requested_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "flows" (
    "portal_id" BIGINT NOT NULL,
    "flow_id" TEXT NOT NULL,
    "workflow_id" TEXT,
    "name" TEXT,
    "is_enabled" BOOLEAN NOT NULL,
    "revision_id" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3),
    "is_listed" BOOLEAN NOT NULL,
    "steps_read_as" TEXT,
    "saved_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "flows_pkey" PRIMARY KEY ("portal_id","flow_id")
);

-- CreateTable
CREATE TABLE "flow_steps" (
    "portal_id" BIGINT NOT NULL,
    "flow_id" TEXT NOT NULL,
    "action_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "sequence_id" TEXT,
    "sender_mode" TEXT,
    "sender_user_id" TEXT,
    "preset_id" TEXT,
    "rotation_id" TEXT,
    "if_already_enrolled" TEXT,
    "varying" TEXT[],

    CONSTRAINT "flow_steps_pkey" PRIMARY KEY ("portal_id","flow_id","action_id")
);

-- CreateTable
CREATE TABLE "action_types" (
    "definition_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "action_types_pkey" PRIMARY KEY ("definition_id","version","kind")
);

-- CreateIndex
CREATE INDEX "flows_portal_id_workflow_id_idx" ON "flows"("portal_id", "workflow_id");
