/**
 * Who may import whom under src/ (docs/architecture.md draws the same table). A room may import itself, the leaves,
 * and what stands here; anything else is handed in by app.ts as an argument.
 */
const leaves = ["errors", "observability", "config"];

const rooms = {
  observability: [],
  db: [],
  http: [],
  queue: ["db"],
  hubspot: [],
  vault: ["db"],
  executions: ["db"],
  directory: ["db"],
  policy: ["db", "executions/error-codes"],
  alerts: ["db"],
  jobs: ["alerts", "executions", "directory", "policy", "hubspot", "queue", "db"],
  oauth: ["vault", "hubspot", "http", "db", "admin/session/session"],
  actions: ["executions", "directory", "policy", "hubspot/signature", "http", "db"],
  admin: ["alerts", "executions", "directory", "policy", "vault", "http", "db"],
  extension: ["admin", "http", "db", "policy/lock-defaults"],
  simulator: [],
};

/** Rooms nobody under src/ but bin (and tests) may reach. */
const roots = ["main", "app", "foundation", "web", "worker"];
const outside = ["simulator", "bin", ...roots];
const everything = [...Object.keys(rooms), "bin", ...roots];

/** Patterns of everything in a room but one file: each folder on the way is opened, and closed again but for the next. */
function allBut(path) {
  const steps = path.split("/");
  const folders = steps.slice(1).map((_, index) => steps.slice(0, index + 1).join("/"));
  return folders.flatMap((folder, index) => {
    const isLast = index === folders.length - 1;
    return [`../${folder}/*`, isLast ? `!../${path}.js` : `!../${folders[index + 1]}`];
  });
}

export const fences = Object.entries(rooms).map(([room, allowed]) => {
  const open = new Set([room, ...leaves, ...allowed]);
  const closed = everything.filter(
    (name) => !open.has(name) && !allowed.some((path) => path.startsWith(`${name}/`)),
  );
  const narrowed = allowed.filter((path) => path.includes("/"));
  return {
    files: [`src/${room}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: closed.flatMap((name) => [
                `../${name}/*`,
                `../${name}.js`,
                `../../${name}/*`,
                `../../${name}.js`,
              ]),
              message: `${room}/ may import only ${[...open].join(", ")}: take what you need as an argument, wired in app.ts.`,
            },
            ...narrowed.map((path) => ({
              group: allBut(path),
              message: `${room}/ may import only ${path}.ts from that room.`,
            })),
          ],
        },
      ],
    },
  };
});

export { outside };
