import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import express from "express";
import pg from "pg";

/**
 * The peers of the accept path, as short as Express allows. `/stored` checks the same signatures and inserts one row a
 * request, autocommit, through a pool of the app's size, by a prepared statement. `/nothing` answers and that is all.
 */
const { databaseUrl, publicUrl, secret, isStoring } = JSON.parse(process.argv[2] ?? "{}") as {
  databaseUrl: string;
  publicUrl: string;
  secret: string;
  isStoring: boolean;
};

const POOL_SIZE = 16;
const MAX_AGE_MS = 300_000;
const ANSWER = { outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: "P7D" } };
const INSERT = `
  INSERT INTO bare_executions (portal_id, callback_id, kind, state, deadline_at, contact_id, contact_email, workflow_id, sequence_id, request)
  VALUES ($1, $2, 'ENROLL', 'QUEUED', now() + interval '144 hours', $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`;

function isEqual(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function isSigned(request: express.Request, body: Buffer): boolean {
  const url = publicUrl + request.originalUrl;
  const v3 = request.get("x-hubspot-signature-v3");
  if (v3 === undefined) {
    const digest = createHash("sha256").update(`${secret}POST${url}`).update(body).digest();
    return isEqual(digest, Buffer.from(request.get("x-hubspot-signature") ?? "", "hex"));
  }
  const timestamp = request.get("x-hubspot-request-timestamp") ?? "";
  if (Math.abs(Date.now() - Number(timestamp)) > MAX_AGE_MS) return false;
  const digest = createHmac("sha256", secret).update(`POST${url}`).update(body).update(timestamp).digest();
  return isEqual(digest, Buffer.from(v3, "base64"));
}

interface Call {
  callbackId: string;
  origin: { portalId: number };
  object: { objectId: number; properties: { email: string } };
  context: { workflowId: number };
  inputFields: { sequence_id: string };
}

const http = express();
const readBytes = express.raw({ type: () => true, limit: 256 * 1024 });
if (isStoring) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL_SIZE });
  http.post("/hubspot/actions/enroll", readBytes, async (request, response) => {
    const body = request.body as Buffer;
    if (!isSigned(request, body)) {
      response.status(401).json({});
      return;
    }
    const call = JSON.parse(body.toString("utf8")) as Call;
    const values = [
      call.origin.portalId,
      call.callbackId,
      String(call.object.objectId),
      call.object.properties.email,
      String(call.context.workflowId),
      call.inputFields.sequence_id,
      JSON.stringify({ inputs: call.inputFields, properties: call.object.properties }),
    ];
    await pool.query({ name: "insert", text: INSERT, values });
    response.json(ANSWER);
  });
} else {
  http.post("/hubspot/actions/enroll", readBytes, (_request, response) => {
    response.json(ANSWER);
  });
}

const server = http.listen(0, "127.0.0.1", () => {
  process.stdout.write(`listening http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once("SIGTERM", () => process.exit(0));
