-- Open work by what is looked for in it. One index over all three states made a claim pass every doubtful execution that
-- was due earlier (an admin's bulk retry makes a hundred thousand), and the look for claims left behind read them all.
-- An execution is entered in one of these when it waits and in one when it is attempted, where it was in two before.

-- Waits to be attempted.
CREATE INDEX "executions_queued" ON "executions"("portal_id", "due_at", "id") WHERE "state" = 'QUEUED';

-- To be read from HubSpot first.
CREATE INDEX "executions_uncertain" ON "executions"("portal_id", "due_at", "id") WHERE "state" = 'UNCERTAIN';

-- In an owner's hands: being attempted, or being read. Who comes after finds what was left by its epoch.
CREATE INDEX "executions_claimed" ON "executions"("portal_id", "epoch") WHERE "state" IN ('ATTEMPTING', 'UNCERTAIN') AND "epoch" IS NOT NULL;

-- May have been sent, as whom: counts against the sender's cap until it is read. Few at any time.
CREATE INDEX "executions_doubted_sends" ON "executions"("portal_id", "sender_user_id") WHERE "state" = 'UNCERTAIN' AND "sender_user_id" IS NOT NULL;

DROP INDEX "executions_work_due";
DROP INDEX "executions_doubtful";
