-- CreateTable
CREATE TABLE "webhook_subscriptions" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "url_sealed" TEXT NOT NULL,
    "secret_sealed" TEXT NOT NULL,
    "old_secret_sealed" TEXT,
    "old_secret_until" TIMESTAMPTZ(3),
    "events" TEXT[],
    "description" TEXT NOT NULL DEFAULT '',
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "disabled_reason" TEXT,
    "failing_since" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_subscriptions_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "portal_id" BIGINT NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "subscription_id" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "order_key" TEXT NOT NULL,
    "execution_id" BIGINT,
    "data" JSONB,
    "state" TEXT NOT NULL DEFAULT 'PENDING',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "tried_at" TIMESTAMPTZ(3),
    "duration_ms" INTEGER,
    "http_status" INTEGER,
    "answer" TEXT,
    "problem" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("portal_id","id")
);

-- CreateIndex
CREATE INDEX "webhook_deliveries_portal_id_subscription_id_id_idx" ON "webhook_deliveries"("portal_id", "subscription_id", "id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_portal_id_execution_id_idx" ON "webhook_deliveries"("portal_id", "execution_id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_created_at_idx" ON "webhook_deliveries"("created_at");

-- What is to be sent, by subscription.
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries"("portal_id", "subscription_id", "due_at", "id") WHERE "state" = 'PENDING';

-- What has to be sent before a message.
CREATE INDEX "webhook_deliveries_in_order" ON "webhook_deliveries"("portal_id", "subscription_id", "order_key", "id") WHERE "state" = 'PENDING';
