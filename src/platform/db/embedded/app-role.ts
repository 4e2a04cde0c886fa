import { spawn } from "node:child_process";
import { chown, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { EmbeddedPostgresFailed } from "../errors.js";
import { SERVER_ENVIRONMENT } from "./server-account.js";
import type { Cluster } from "./cluster-files.js";

/** The role the app uses: it owns the app's database, and is not a superuser. Also the name of that database. */
export const OWNER = "sequence_enroller";

/**
 * initdb's superuser, and its database. It cannot sign in: only whoever starts the server's program on the files acts
 * as it.
 */
export const SUPERUSER = "postgres";

/** Stored with the server's files, so that a copy or a backup of them includes it. */
const MARK = "sequence-enroller.app-role";

/** So an SQL injection in the app does not reach the machine, as a superuser's `COPY … PROGRAM` would. */
const CREATE_ROLE = (password: string): string =>
  `CREATE ROLE ${OWNER} LOGIN CREATEDB PASSWORD '${password}'; ALTER ROLE ${SUPERUSER} NOLOGIN;`;

/** Created by earlier releases: one role that is initdb's superuser. That one cannot lose its rights; it is renamed. */
const RENAME_SUPERUSER = (password: string): string => `
  DO $$ BEGIN
    IF (SELECT rolname FROM pg_roles WHERE oid = 10) = '${OWNER}' THEN
      CREATE ROLE ${OWNER}_renames SUPERUSER;
      SET SESSION AUTHORIZATION ${OWNER}_renames;
      ALTER ROLE ${OWNER} RENAME TO ${SUPERUSER};
      SET SESSION AUTHORIZATION ${SUPERUSER};
      DROP ROLE ${OWNER}_renames;
      ${CREATE_ROLE(password)}
    END IF;
  END $$;`;

const HAS_DATABASE = `SELECT datname FROM pg_database WHERE datname = '${OWNER}';`;

/** Indexes and a column's own sequences follow their table. */
const HAND_OVER = `
  DO $$ DECLARE change text; BEGIN
    FOR change IN
      WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
      SELECT format('SCHEMA %I', nspname) FROM pg_namespace JOIN own USING (oid) WHERE nspowner = 10
      UNION ALL
      SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class AS c JOIN own ON own.oid = relnamespace
       WHERE relowner = 10 AND relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT EXISTS
             (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND relkind = 'S' AND deptype IN ('a', 'i'))
      UNION ALL
      SELECT format('ROUTINE %s', p.oid::regprocedure) FROM pg_proc AS p JOIN own ON own.oid = pronamespace WHERE proowner = 10
      UNION ALL
      SELECT format('TYPE %s', t.oid::regtype) FROM pg_type AS t JOIN own ON own.oid = typnamespace
       WHERE typowner = 10 AND typtype IN ('e', 'd')
      UNION ALL
      SELECT format('DATABASE %I', current_database())
    LOOP EXECUTE 'ALTER ' || change || ' OWNER TO ${OWNER}'; END LOOP;
  END $$;`;

/** Creates the roles in a database that initdb has just made. */
export async function createAppRole(cluster: Cluster): Promise<void> {
  await runAsSuperuser(cluster, SUPERUSER, CREATE_ROLE(cluster.password));
  await mark(cluster);
}

/**
 * Turns the superuser that earlier releases ran the app as into a plain role that owns what it owned. Call it only
 * while no server runs on the files and none can be started. May be interrupted at any moment: the next start
 * continues.
 */
export async function ensureAppRole(cluster: Cluster): Promise<void> {
  if (await isMarked(cluster)) return;
  const roles = RENAME_SUPERUSER(cluster.password);
  const told = await runAsSuperuser(cluster, SUPERUSER, `${roles} ${HAS_DATABASE}`);
  if (told.includes(`"${OWNER}"`)) await runAsSuperuser(cluster, OWNER, HAND_OVER);
  await mark(cluster);
}

function isMarked({ dataDirectory }: Cluster): Promise<boolean> {
  return stat(path.join(dataDirectory, MARK)).then(
    () => true,
    () => false,
  );
}

async function mark({ dataDirectory, account }: Cluster): Promise<void> {
  const file = path.join(dataDirectory, MARK);
  await writeFile(file, `The app's role ${OWNER} is no superuser.\n`, { mode: 0o600 });
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

/**
 * Runs statements as the superuser in a separate server, without network, which ends with them. Call it only while no
 * other server runs on the files.
 *
 * @returns what it printed.
 * @throws EmbeddedPostgresFailed at the first that fails.
 */
export async function runAsSuperuser(cluster: Cluster, database: string, sql: string): Promise<string> {
  const args = ["--single", "-D", cluster.dataDirectory, "-c", "exit_on_error=on", database];
  const server = spawn(cluster.binaries.postgres, args, {
    ...cluster.account,
    cwd: cluster.home,
    env: SERVER_ENVIRONMENT,
  });
  const ended = new Promise<number | null>((resolve) => {
    server.once("error", () => resolve(null));
    server.once("close", resolve);
  });
  // A server that ends early stops reading; its exit code shows why.
  server.stdin.on("error", () => undefined);
  // In this mode a statement ends with its line.
  server.stdin.end(`${sql.replaceAll("\n", " ")}\n`);
  const [code, printed, said] = await Promise.all([ended, text(server.stdout), text(server.stderr)]);
  if (code === 0) return printed;
  throw new EmbeddedPostgresFailed(
    `The roles of the embedded database in ${cluster.home} could not be set up: ${said.replaceAll(cluster.password, "[password]").trim()}`,
  );
}
