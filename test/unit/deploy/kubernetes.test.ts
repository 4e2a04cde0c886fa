import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { environmentVariables } from "../../../src/config.js";

const file = new URL("../../../deploy/kubernetes/sequence-enroller.yaml", import.meta.url);

const labels = z.record(z.string(), z.string());
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.enum(["/healthz", "/readyz"]), port: z.literal("http") }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number().optional(),
  failureThreshold: z.number(),
});
const variable = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }),
  }),
]);
/** What Pod Security's profile "restricted" asks of a container, and a file system that nobody writes to. */
const containerSecurity = z.strictObject({
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
});
const container = z.strictObject({
  name: z.string(),
  image: z.string().regex(/:(?!latest$)[\w.-]+$/),
  command: z.array(z.string()).optional(),
  env: z.array(variable),
  envFrom: z.array(z.record(z.string(), z.strictObject({ name: z.string() }))).optional(),
  ports: z.array(z.strictObject({ name: z.literal("http"), containerPort: z.literal(3000) })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z.unknown().optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
    limits: z.strictObject({ memory: z.string() }),
  }),
  securityContext: containerSecurity,
});
const deployment = z.strictObject({
  apiVersion: z.literal("apps/v1"),
  kind: z.literal("Deployment"),
  metadata: z.strictObject({ name: z.string(), namespace: z.string(), labels }),
  spec: z.strictObject({
    replicas: z.number().min(2),
    strategy: z.strictObject({ rollingUpdate: z.record(z.string(), z.number()) }),
    selector: z.strictObject({ matchLabels: labels }),
    template: z.strictObject({
      metadata: z.strictObject({ labels }),
      spec: z.strictObject({
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.strictObject({
          runAsNonRoot: z.literal(true),
          runAsUser: z.number().min(1),
          runAsGroup: z.number().min(1),
          seccompProfile: z.strictObject({ type: z.literal("RuntimeDefault") }),
        }),
        topologySpreadConstraints: z.array(
          z.looseObject({ labelSelector: z.strictObject({ matchLabels: labels }) }),
        ),
        initContainers: z.array(container),
        containers: z.array(container),
      }),
    }),
  }),
});
const known = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const documents = parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
  expect(document.errors).toEqual([]);
  return known.parse(document.toJS());
});
const ofKind = (kind: string) => documents.filter((document) => document.kind === kind);
const deployments = ofKind("Deployment").map((document) => deployment.parse(document));

/** SIGTERM to the end, as the app promises (src/main.ts), in seconds. */
const LONGEST_STOP_SECONDS = 19;

describe("the example for Kubernetes", () => {
  test("holds a namespace, settings, both roles, a way in, and a floor under each role", () => {
    expect(documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "Namespace sequence-enroller",
      "ConfigMap sequence-enroller",
      "Deployment web",
      "Deployment worker",
      "Service web",
      "Ingress web",
      "PodDisruptionBudget web",
      "PodDisruptionBudget worker",
    ]);
    const namespaces = documents.slice(1).map(({ metadata }) => metadata.namespace);
    expect(new Set(namespaces)).toEqual(new Set(["sequence-enroller"]));
  });

  test.each(deployments)("$metadata.name is found by its own labels, and differs from the other", (one) => {
    const { selector, template } = one.spec;
    expect(template.metadata.labels).toEqual(selector.matchLabels);
    expect(template.spec.topologySpreadConstraints[0]?.labelSelector.matchLabels).toEqual(
      selector.matchLabels,
    );
    expect(selector.matchLabels["app.kubernetes.io/component"]).toBe(one.metadata.name);
    const budget = ofKind("PodDisruptionBudget").find(({ metadata }) => metadata.name === one.metadata.name);
    expect(budget).toMatchObject({ spec: { minAvailable: 1, selector } });
  });

  test.each(deployments)(
    "$metadata.name runs one role, migrates first, is probed and has time to stop",
    (one) => {
      const { spec } = one.spec.template;
      const [app] = spec.containers;
      const [migrate] = spec.initContainers;
      expect(app?.env).toEqual([{ name: "ROLE", value: one.metadata.name }]);
      expect(migrate?.command).toEqual(["node", "scripts/start.mjs", "bin/migrate.js"]);
      expect(migrate?.image).toBe(app?.image);
      expect([app?.livenessProbe, app?.readinessProbe].map((given) => given?.httpGet.path)).toEqual([
        "/healthz",
        "/readyz",
      ]);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(LONGEST_STOP_SECONDS + 5);
      // Liveness asks nothing of the database: a database that is away is no reason to kill every process.
      expect(app?.startupProbe?.httpGet.path).toBe("/healthz");
    },
  );

  test("sets no variable that the app does not read, and names each secret that production insists on", () => {
    const text = readFileSync(file, "utf8");
    const settings = ofKind("ConfigMap").flatMap((document) => Object.keys(document["data"] ?? {}));
    const secrets = [...text.matchAll(/--from-literal=(\w+)/g)].map(([, name]) => name);
    for (const name of [...settings, ...secrets]) expect(environmentVariables).toContain(name);
    expect(secrets).toEqual(
      expect.arrayContaining([
        ...["DATABASE_URL", "HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET"],
        ...["ENCRYPTION_KEYS", "SESSION_SECRET"],
      ]),
    );
  });

  test("leads the way in to the web processes alone", () => {
    expect(ofKind("Service")[0]).toMatchObject({
      spec: { selector: deployments[0]?.spec.selector.matchLabels, ports: [{ targetPort: "http" }] },
    });
    expect(JSON.stringify(ofKind("Ingress")[0])).toContain('"service":{"name":"web","port":{"name":"http"}}');
  });
});
