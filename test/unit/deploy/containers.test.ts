import { describe, expect, test } from "@jest/globals";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { environmentVariables } from "../../../src/config.js";
import { startFlags } from "../../../bench/rig/start-flags.js";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The stages of a Dockerfile, each its instructions with lines that go on joined. */
function stagesOf(text: string): Instruction[][] {
  const lines = text
    .replace(/^#.*$/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const stages: Instruction[][] = [[]];
  for (const line of lines) {
    const [name = "", ...rest] = line.split(/\s+/);
    if (name === "FROM") stages.push([]);
    stages.at(-1)?.push({ name, rest: rest.join(" ") });
  }
  return stages;
}

describe("the image", () => {
  const [head = [], build = [], last = []] = stagesOf(read("deploy/Dockerfile"));
  const find = (stage: Instruction[], name: string) => stage.filter((one) => one.name === name);

  test("is of an exact release of Node, one that the README supports", () => {
    const version = /^NODE_VERSION=(\d+)\.\d+\.\d+$/.exec(find(head, "ARG")[0]?.rest ?? "")?.[1];
    expect(["22", "24"]).toContain(version);
    for (const { rest } of [...find(build, "FROM"), ...find(last, "FROM")])
      expect(rest).toMatch(/^node:\$\{NODE_VERSION\}-bookworm-slim( AS build)?$/);
  });

  test("holds nothing but the assembled folder, which its account cannot change", () => {
    expect(find(last, "COPY")).toEqual([{ name: "COPY", rest: "--from=build /app /app" }]);
    expect(find(last, "RUN")).toEqual([]);
    expect(find(last, "USER")).toEqual([{ name: "USER", rest: "1000:1000" }]);
    expect(last.findIndex(({ name }) => name === "COPY")).toBeLessThan(
      last.findIndex(({ name }) => name === "USER"),
    );
  });

  test("runs no package's install script while it is built", () => {
    const installs = find(build, "RUN").filter(({ rest }) => /npm (ci|install)/.test(rest));
    expect(installs).toEqual([{ name: "RUN", rest: "npm ci --ignore-scripts" }]);
    expect(read("scripts/assemble.mjs")).toMatch(/"ci",\s+"--omit=dev",\s+"--ignore-scripts"/);
  });

  test("starts Node itself, which takes the signals, in production, and says whether it is alive", () => {
    expect(find(last, "CMD")[0]?.rest).toBe(
      `[${["node", ...startFlags(), "scripts/start.mjs", "main.js"].map((word) => `"${word}"`).join(", ")}]`,
    );
    expect(find(last, "ENV")[0]?.rest).toMatch(/NODE_ENV=production/);
    expect(find(last, "HEALTHCHECK")[0]?.rest).toMatch(/CMD \["node", "scripts\/healthcheck.mjs"\]$/);
    expect(find(last, "STOPSIGNAL")[0]?.rest).toBe("SIGTERM");
  });

  test("is built from sources alone: no .env, no history and no packages of the machine go in", () => {
    const [first, ...others] = read("deploy/Dockerfile.dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(first).toBe("*");
    const allowed = others.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    for (const path of allowed) expect(existsSync(fileURLToPath(new URL(path, ROOT)))).toBe(true);
    expect(
      allowed.filter((path) => /env|git|node_modules|^\.$/.test(path.replace("no-schema-engine", ""))),
    ).toEqual([]);
  });
});

const service = z.looseObject({
  image: z.string().regex(/^[\w./-]+(:(?!latest)[\w.-]+)?$/),
  environment: z.record(z.string(), z.string()),
  networks: z.array(z.string()),
  restart: z.literal("unless-stopped"),
  ports: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).optional(),
  stop_grace_period: z.string().optional(),
});
const composition = z.looseObject({
  services: z.strictObject({ web: service, worker: service, database: service, proxy: service }),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()),
});

describe("the compose file", () => {
  const { services, networks } = composition.parse(parse(read("deploy/compose.yaml"), { merge: true }));
  const { web, worker, database, proxy } = services;

  test.each([
    ["web", web],
    ["worker", worker],
  ])("lets %s read its code, write nothing, and end by itself", (role, one) => {
    expect(one.environment["ROLE"]).toBe(role);
    expect(one.environment["NODE_ENV"]).toBe("production");
    for (const name of Object.keys(one.environment)) expect(environmentVariables).toContain(name);
    expect(one).toMatchObject({ read_only: true, cap_drop: ["ALL"], stop_grace_period: "30s" });
    expect(one.security_opt).toEqual(["no-new-privileges:true"]);
    expect(one.depends_on).toEqual({ database: { condition: "service_healthy" } });
  });

  test("opens the proxy's ports alone, and keeps the database where only the app reaches it", () => {
    expect(proxy.ports).toEqual(["80:80", "443:443"]);
    expect([web, worker, database].map(({ ports }) => ports)).toEqual([undefined, undefined, undefined]);
    expect(database.networks).toEqual(["back"]);
    expect(networks["back"]).toEqual({ internal: true });
    expect(proxy.networks).toEqual(["front"]);
    expect(web.networks).toContain("front");
  });

  test("gives the proxy every value of its template, and no secret a default", () => {
    const template = read("deploy/nginx/sequence-enroller.conf.template");
    const asked = new Set([...template.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name));
    expect([...asked].sort()).toEqual(["CERTIFICATES", "SERVER_NAME", "UPSTREAM"]);
    for (const name of asked) expect(proxy.environment).toHaveProperty(name ?? "");
    expect(read("deploy/compose.yaml")).not.toMatch(/\$\{\w+:?-/);
  });
});
