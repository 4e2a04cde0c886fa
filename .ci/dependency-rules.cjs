/**
 * Who may import whom (docs/architecture.md draws it). `web/` and `worker/` use `domain/`, `domain/` uses `platform/`, and the
 * two wings never meet. `npm run lint` checks it with dependency-cruiser; each rule says why in its comment.
 */
const LEAVES = "^src/(errors|config)\\.ts$";

function only({ name, from, uses, why }) {
  return {
    name,
    severity: "error",
    comment: why,
    from: { path: from },
    to: { path: "^src/", pathNot: [from, ...uses, LEAVES] },
  };
}

/** The rooms of the domain, and which of the others each may use besides `contract`. The arrows go one way. */
const DOMAIN = {
  contract: [],
  executions: ["subscriptions"],
  ends: ["executions"],
  contacts: ["executions", "subscriptions"],
  unenroll: ["audit", "executions"],
  directory: [],
  flows: ["directory", "unenroll"],
  senders: [],
  alerts: ["audit"],
  subscriptions: ["audit", "alerts"],
  audit: [],
  imports: ["audit", "enrollments", "executions"],
  keys: ["audit"],
  vault: ["audit"],
  policy: ["audit", "directory", "senders", "unenroll"],
  accounts: ["audit", "directory", "vault"],
  enrollments: ["contacts", "directory", "ends", "executions", "flows", "unenroll"],
  history: ["audit", "executions", "contacts", "directory", "ends", "flows", "subscriptions", "unenroll"],
  "dry-run": ["contacts", "directory", "senders", "unenroll"],
};

const domainRules = Object.entries(DOMAIN).map(([room, others]) => {
  const rooms = room === "contract" ? [] : ["contract", ...others];
  return only({
    name: `domain-${room}`,
    from: `^src/domain/${room}/`,
    uses: ["^src/platform/", ...rooms.map((name) => `^src/domain/${name}/`)],
    why: `domain/${room} uses ${[...rooms, "platform"].join(", ")}. Take what else you need as an argument, or move the shape that both need to domain/contract.`,
  });
});

const wings = [
  {
    name: "web-is-a-wing",
    from: "^src/web/",
    uses: ["^src/domain/", "^src/platform/"],
    why: "web/ answers HTTP with what domain/ and platform/ offer. What the worker does reaches it as an argument, wired in compose/.",
  },
  {
    name: "worker-is-a-wing",
    from: "^src/worker/",
    uses: ["^src/domain/", "^src/platform/"],
    why: "worker/ does what happens unasked. It knows no page and no request: move what both wings need to domain/.",
  },
  {
    name: "domain-knows-no-wing",
    from: "^src/domain/",
    uses: ["^src/platform/"],
    why: "domain/ holds what is true of a portal, whoever asks: no page, no request, no timer. The words of a page belong to web/.",
  },
  {
    name: "platform-is-the-ground",
    from: "^src/platform/",
    uses: [],
    why: "platform/ is what we stand on: HubSpot's wire, PostgreSQL, the queue, logs. It knows no rule of a portal.",
  },
  {
    name: "command-line-is-a-customer",
    from: "^src/cli/",
    uses: ["^src/domain/contract/"],
    why: "cli/ knows the app as its customers do: by the HTTP API alone, and by the codes and names in domain/contract.",
  },
  {
    name: "simulator-stands-alone",
    from: "^src/simulator/",
    uses: [],
    why: "simulator/ plays HubSpot. With code of the app in it, our mistake would agree with itself.",
  },
].map(only);

const CYCLE = "that need each other are one, or need a third that holds what both use.";

module.exports = {
  forbidden: [
    ...wings,
    ...domainRules,
    {
      name: "no-cycle-of-files",
      severity: "error",
      comment: `Two files ${CYCLE}`,
      from: { path: "^src/", pathNot: "^src/simulator/" },
      to: { circular: true },
    },
    {
      name: "no-cycle-of-files-when-it-runs",
      severity: "error",
      comment: `Two files ${CYCLE} The simulator's world, portals and workflows may name each other's types.`,
      from: { path: "^src/simulator/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-cycle-of-folders",
      severity: "error",
      scope: "folder",
      comment: `Two folders ${CYCLE}`,
      from: { path: "^src/(web|worker|domain|platform|compose|bin)(/|$)" },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/platform/db/generated" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
};
