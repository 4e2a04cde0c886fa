-- CreateTable
CREATE TABLE "journal_position" (
    "id" INTEGER NOT NULL,
    "read_to" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "journal_position_pkey" PRIMARY KEY ("id")
);
