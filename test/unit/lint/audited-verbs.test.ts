import { spawnSync } from "node:child_process";
import { expect, test } from "@jest/globals";

const VERB = `
  export async function pause(pool: Pool, actor: Actor) {
    requireRight(actor, "pausePortal");
    return inTransaction(pool, (client) => write(client, actor));
  }
  async function write(client: PoolClient, actor: Actor) {
    await client.query(STATEMENT, [actor.portalId]);
    await recordChange(client, actor, { subject: "portal" });
  }
  const STATEMENT = "UPDATE portal_settings AS s SET paused_at = now()";`;

const CASES: Readonly<Record<string, { code: string; problems: string[] }>> = {
  "a verb whose helper writes and notes passes in the domain": { code: VERB, problems: [] },
  "a write has an actor": { code: VERB.replaceAll("Actor", "Person"), problems: ["noActor"] },
  "a write asks for its right": { code: VERB.replace(/requireRight\(.*\);/, ""), problems: ["noRight"] },
  "a write leaves an entry": { code: VERB.replace(/await recordChange\(.*\);/, ""), problems: ["noEntry"] },
  "what Prisma writes is a write": {
    code: "export const save = (transaction: T) => transaction.preset.update({});",
    problems: ["noActor"],
  },
  "what only reads passes in the domain": {
    code: 'export const find = (pool: Pool) => pool.query("SELECT name FROM presets");',
    problems: [],
  },
  "what Prisma reads passes in the domain": {
    code: "export const find = ({ prisma }: Database) => prisma.preset.findMany({});",
    problems: [],
  },
};

/** What each rule says to each text, as ESLint runs it: one process for all, as loading it takes seconds. */
function lint(): { domain: string[]; web: string[] }[] {
  const codes = JSON.stringify(Object.values(CASES).map(({ code }) => code));
  const script = `
    import { Linter } from "eslint";
    import house from "./.ci/audited-verbs.js";
    import tseslint from "typescript-eslint";
    const config = { files: ["**/*.ts"], languageOptions: { parser: tseslint.parser }, plugins: { house } };
    const say = (code, rule) => new Linter().verify(code, [{ ...config, rules: { [rule]: "error" } }], "a.ts")
      .map(({ messageId, message }) => messageId ?? message);
    const told = ${codes}.map((code) =>
      ({ domain: say(code, "house/audited-verbs"), web: [...say(code, "house/no-write-sql"), ...say(code, "house/no-read-sql")] }));
    console.log(JSON.stringify(told));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as { domain: string[]; web: string[] }[];
}

test("lint asks of writes who asked, whether they may, and that it is noted, and lets no page read or write", () => {
  const told = lint();
  for (const [index, [what, { code, problems }]] of Object.entries(CASES).entries()) {
    const web = /UPDATE|update/.test(code) ? ["write"] : ["read"];
    expect([what, told[index]]).toEqual([what, { domain: problems, web }]);
  }
});
