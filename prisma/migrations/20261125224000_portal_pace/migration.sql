-- How much of its request window a portal's owner uses, for the settings site.
CREATE TABLE "portal_paces" (
    "portal_id" BIGINT NOT NULL,
    "requests_counted" INTEGER NOT NULL,
    "noted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "portal_paces_pkey" PRIMARY KEY ("portal_id")
);
