import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./start-app.js";

const run = promisify(execFile);
const PROGRAM = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"].find((file) =>
  existsSync(file),
);

/** Debian's package `nginx-light` has it; .ci/run installs that. */
export const hasNginx = PROGRAM !== undefined;

export const SERVER_NAME = "enroller.example.com";

const TEMPLATE = new URL("../../deploy/nginx/sequence-enroller.conf.template", import.meta.url);

/** The proxy of deploy/nginx in front of an app. */
export interface Nginx {
  readonly port: number;
  readonly httpPort: number;
  /** The certificate, which nobody but us vouches for. */
  readonly ca: string;
  /** What `nginx -t` said. */
  readonly verdict: string;
  accessLog(): Promise<string>;
  errorLog(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts nginx with the template as it is, but for the names in it, its two ports and where its log goes.
 *
 * @param upstream `host:port` of the app.
 * @throws Error with what `nginx -t` says against it.
 */
export async function startNginx(upstream: string): Promise<Nginx> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-nginx-"));
  const [port, httpPort] = [await freePort(), await freePort()];
  await makeCertificate(folder);
  const site = (await readFile(TEMPLATE, "utf8"))
    .replaceAll("${SERVER_NAME}", SERVER_NAME)
    .replaceAll("${UPSTREAM}", upstream)
    .replaceAll("${CERTIFICATES}", folder)
    .replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
    .replace("listen 80;", `listen 127.0.0.1:${httpPort};`)
    .replaceAll("/var/log/nginx/", `${folder}/`);
  const file = path.join(folder, "nginx.conf");
  await writeFile(file, frameOf(folder, site));
  await mkdir(path.join(folder, "temp"));
  const { stderr: verdict } = await run(PROGRAM ?? "nginx", ["-t", "-c", file, "-e", `${folder}/error.log`]);
  const server = spawn(PROGRAM ?? "nginx", ["-c", file, "-e", `${folder}/error.log`], { stdio: "ignore" });
  const ended = new Promise((resolve) => server.once("close", resolve));
  await untilItListens(port);
  return {
    ...{ port, httpPort, verdict },
    ca: await readFile(path.join(folder, "fullchain.pem"), "utf8"),
    accessLog: () => readFile(path.join(folder, "enroller.log"), "utf8"),
    errorLog: () => readFile(path.join(folder, "error.log"), "utf8"),
    async stop() {
      server.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** What Debian's own nginx.conf is around the site, with every file in `folder`. */
function frameOf(folder: string, site: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/temp/${name};`,
  );
  return `
    daemon off;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log;
    events { worker_connections 768; }
    http { ${temporary.join("\n")} access_log off; ${site} }
  `;
}

async function makeCertificate(folder: string): Promise<void> {
  const files = ["-keyout", path.join(folder, "privkey.pem"), "-out", path.join(folder, "fullchain.pem")];
  const names = ["-subj", `/CN=${SERVER_NAME}`, "-addext", `subjectAltName=DNS:${SERVER_NAME}`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run("openssl", ["req", "-x509", ...kind, ...files, ...names]);
}

async function untilItListens(port: number): Promise<void> {
  const endsAt = Date.now() + 20_000;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port }, () => {
        resolve(true);
        socket.destroy();
      }).once("error", () => {
        resolve(false);
      });
    });
    if (isThere) return;
    if (Date.now() > endsAt) throw new Error("nginx does not listen");
    await sleep(50);
  }
}
