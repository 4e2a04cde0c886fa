import { Pool } from "undici";

/** What the app's requests look like, for a loop that knows and stores nothing. Read from standard input. */
export interface Order {
  readonly url: string;
  readonly path: string;
  readonly completionsPath: string;
  readonly tokens: readonly string[];
  readonly each: number;
  readonly firstContact: number;
  readonly userId: string;
  readonly sequenceId: string;
  readonly senderEmail: string;
  readonly connections: number;
}

const COMPLETIONS_AT_ONCE = 100;

type Post = (path: string, token: string, body: unknown) => Promise<void>;

function enrollments(order: Order, post: Post): (() => Promise<void>)[] {
  const { sequenceId, senderEmail, tokens } = order;
  return Array.from({ length: order.each }, (_, index) => String(order.firstContact + index)).flatMap(
    (contactId) =>
      tokens.map(
        (token) => () =>
          post(`${order.path}?userId=${order.userId}`, token, { sequenceId, contactId, senderEmail }),
      ),
  );
}

function completions(order: Order, post: Post): (() => Promise<void>)[] {
  const batches = Math.ceil(order.each / COMPLETIONS_AT_ONCE);
  return Array.from({ length: batches }, (_, batch) => batch * COMPLETIONS_AT_ONCE).flatMap((from) => {
    const inputs = Array.from({ length: Math.min(COMPLETIONS_AT_ONCE, order.each - from) }, (_, index) => ({
      callbackId: `bare-${from + index}`,
      outputFields: { hs_execution_state: "SUCCESS", enrollment_status: "ENROLLED" },
      typedOutputs: {},
    }));
    return order.tokens.map((token) => () => post(order.completionsPath, token, { inputs }));
  });
}

/** Posts every enrollment, then every batch of completions, `connections` at a time. @returns the seconds it took. */
async function run(order: Order): Promise<number> {
  const pool = new Pool(order.url, { connections: order.connections, pipelining: 1 });
  const post: Post = async (path, token, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await pool.request({ method: "POST", path, headers, body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
  };
  const jobs = [...enrollments(order, post), ...completions(order, post)];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: order.connections }, async () => {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await job();
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.close();
  return seconds;
}

let text = "";
for await (const chunk of process.stdin) text += String(chunk);
process.stdout.write(`${await run(JSON.parse(text) as Order)}\n`);
