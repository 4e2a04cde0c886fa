/** How a run ends; scripts branch on these numbers, so they never change. */
export const EXIT = {
  done: 0,
  /** Some rows or the enrollment did not lead to a contact in its sequence, or the app refused what was asked. */
  failed: 1,
  wrongUse: 2,
  notPermitted: 3,
  notReachable: 4,
  /** As shells report a program that Ctrl-C ended. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
