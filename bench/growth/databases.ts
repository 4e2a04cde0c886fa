import pg from "pg";
import type { Rig } from "../rig/rig.js";

/** The rig's database under another name, as a connection string. */
export function urlOf(rig: Rig, name: string): string {
  const url = new URL(rig.databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Copies the rig's database as it stands, installed portals included. Nothing but the bench may be connected to it. */
export async function copyDatabase(rig: Rig, names: readonly string[]): Promise<void> {
  const source = new URL(rig.databaseUrl).pathname.slice(1);
  const client = new pg.Client({ connectionString: urlOf(rig, "postgres") });
  await client.connect();
  try {
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [source]);
    for (const name of names) await client.query(`CREATE DATABASE ${name} TEMPLATE ${source}`);
  } finally {
    await client.end();
  }
}
