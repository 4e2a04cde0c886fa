-- CreateTable
CREATE TABLE "portal_viewers" (
    "portal_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "added_by_user_id" BIGINT,

    CONSTRAINT "portal_viewers_pkey" PRIMARY KEY ("portal_id","user_id")
);
