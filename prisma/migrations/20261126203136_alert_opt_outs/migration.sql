-- CreateTable
CREATE TABLE "alert_opt_outs" (
    "portal_id" BIGINT NOT NULL,
    "address" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "alert_opt_outs_pkey" PRIMARY KEY ("portal_id","address")
);
