-- CreateTable
CREATE TABLE "made_flows" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "request_key" TEXT NOT NULL,
    "recipe" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "stamp" TEXT,
    "state" TEXT NOT NULL DEFAULT 'MAKING',
    "flow_id" TEXT,
    "revision_id" TEXT,
    "problem" TEXT,
    "message" TEXT,
    "made_by_user_id" BIGINT,
    "made_by_email" TEXT,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "made_flows_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateTable
CREATE TABLE "flow_entries" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "request_id" TEXT NOT NULL,
    "flow_id" TEXT NOT NULL,
    "contact_id" TEXT,
    "email" TEXT,
    "state" TEXT NOT NULL DEFAULT 'QUEUED',
    "stamp" TEXT,
    "outcome" TEXT,
    "message" TEXT,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "flow_entries_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "made_flows_portal_id_request_key_key" ON "made_flows"("portal_id", "request_key");

-- CreateIndex
CREATE INDEX "flow_entries_portal_id_request_id_idx" ON "flow_entries"("portal_id", "request_id");

-- What is still to be made or deleted in HubSpot, by when it is due (src/domain/ready-made/made-flow.ts).
CREATE INDEX "made_flows_open" ON "made_flows"("portal_id", "due_at", "id") WHERE "state" IN ('MAKING', 'SENDING', 'REMOVING');

-- Contacts that are still to be put in a workflow, by when they are due (src/domain/flow-entries/flow-entry.ts).
CREATE INDEX "flow_entries_open" ON "flow_entries"("portal_id", "due_at", "id") WHERE "state" <> 'DONE';

-- A contact's entries: a contact has one stamp at a time, and a deletion or a merge finds them all.
CREATE INDEX "flow_entries_of_contact" ON "flow_entries"("portal_id", "contact_id") WHERE "contact_id" IS NOT NULL;
