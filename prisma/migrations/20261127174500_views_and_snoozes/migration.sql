-- CreateTable
CREATE TABLE "activity_views" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "query" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "activity_views_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateTable
CREATE TABLE "snoozed_causes" (
    "portal_id" BIGINT NOT NULL,
    "code" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "snoozed_causes_pkey" PRIMARY KEY ("portal_id","code","subject")
);

-- CreateIndex
CREATE UNIQUE INDEX "activity_views_portal_id_name_key" ON "activity_views"("portal_id", "name");
