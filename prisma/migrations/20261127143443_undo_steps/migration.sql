-- CreateTable
CREATE TABLE "undo_steps" (
    "portal_id" BIGINT NOT NULL,
    "key" TEXT NOT NULL,
    "user_id" BIGINT,
    "step" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "undone_at" TIMESTAMPTZ(3),

    CONSTRAINT "undo_steps_pkey" PRIMARY KEY ("portal_id","key")
);
