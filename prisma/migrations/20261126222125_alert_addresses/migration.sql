-- CreateTable
CREATE TABLE "alert_addresses" (
    "portal_id" BIGINT NOT NULL,
    "address" TEXT NOT NULL,
    "confirmed_at" TIMESTAMPTZ(3),
    "asked_at" TIMESTAMPTZ(3)[] DEFAULT ARRAY[]::TIMESTAMPTZ(3)[],
    "mail_due_at" TIMESTAMPTZ(3),
    "mail_tries" INTEGER NOT NULL DEFAULT 0,
    "mailed_at" TIMESTAMPTZ(3),
    "mail_problem" TEXT,

    CONSTRAINT "alert_addresses_pkey" PRIMARY KEY ("portal_id","address")
);

-- CreateIndex
CREATE INDEX "alert_addresses_mail_due_at_idx" ON "alert_addresses"("mail_due_at");

-- CreateIndex
CREATE INDEX "alert_addresses_address_idx" ON "alert_addresses"("address");

-- Who gets alerts already goes on getting them.
INSERT INTO "alert_addresses" ("portal_id", "address", "confirmed_at")
SELECT DISTINCT "portal_id", lower(btrim("listed")), now()
  FROM "portal_settings", unnest(string_to_array("alert_email", ',')) AS "listed"
 WHERE btrim("listed") <> '';
