import { readFileSync } from "node:fs";
import type { Pool } from "pg";

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/<pid>/stat behind the name, which may hold blanks: state is the first. */
function statOf(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
  } catch {
    return [];
  }
}

/** Seconds of processor time a process has used so far, user and system; 0 where the system does not tell. */
export function cpuSecondsOf(pid: number): number {
  const [utime = 0, stime = 0] = statOf(pid).slice(11, 13);
  return (utime + stime) / TICKS_PER_SECOND;
}

/** A server's parent process, by way of our own connection to it. */
export async function postmasterOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
  return statOf(rows[0]?.pid ?? 0)[1] ?? 0;
}

/** The same of a PostgreSQL server: each of its processes, those that have ended included. */
export function databaseCpuSeconds(postmaster: number): number {
  let children: number[] = [];
  try {
    children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8")
      .trim()
      .split(/\s+/)
      .map(Number);
  } catch {
    return 0;
  }
  const [endedUser = 0, endedSystem = 0] = statOf(postmaster).slice(13, 15);
  const living = [postmaster, ...children].reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  return living + (endedUser + endedSystem) / TICKS_PER_SECOND;
}
