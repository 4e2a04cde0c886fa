/** How up to date a portal's directory is. */
export interface DirectoryState {
  readonly requestedAt: Date | null;
  readonly syncedAt: Date | null;
  /** The same for the user list alone. */
  readonly usersRequestedAt: Date | null;
  readonly usersReadAt: Date | null;
  /** The database's time: the instants above are by its clock. */
  readonly now: Date;
}

export interface DirectoryStateRow {
  directory_requested_at: Date | null;
  directory_synced_at: Date | null;
  users_requested_at: Date | null;
  users_read_at: Date | null;
  now: Date;
}

/** SQL: the columns of a DirectoryStateRow, of `portals p`. */
export const DIRECTORY_STATE = `p.directory_requested_at, p.directory_synced_at, p.users_requested_at, p.users_read_at, now() AS now`;

export function toDirectoryState(row: DirectoryStateRow): DirectoryState {
  return {
    requestedAt: row.directory_requested_at,
    syncedAt: row.directory_synced_at,
    usersRequestedAt: row.users_requested_at,
    usersReadAt: row.users_read_at,
    now: row.now,
  };
}
