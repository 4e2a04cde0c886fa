import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = process.cwd();

/** Lays a small tree of sources and returns what `npm run lint` says of its imports: each broken rule with its reason. */
async function refusedImports(files: Readonly<Record<string, string>>): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "refused-files-"));
  try {
    // `#domain/…` is read from the one, how imports are resolved from the other.
    for (const name of ["package.json", "tsconfig.json"])
      await cp(path.join(ROOT, name), path.join(home, name));
    for (const [name, code] of Object.entries(files)) {
      await mkdir(path.join(home, path.dirname(name)), { recursive: true });
      await writeFile(path.join(home, name), code);
    }
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        path.join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
        ...["--config", path.join(ROOT, ".ci/dependency-rules.cjs")],
        ...["--output-type", "err-long", "src"],
      ],
      { cwd: home, encoding: "utf8", env: { ...process.env, NODE_PATH: path.join(ROOT, "node_modules") } },
    );
    if (stdout === "") throw new Error(stderr);
    return stdout.replace(/\s+/g, " ");
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** What ESLint, with this repository's settings but without types, says of a text as if it were in each of the files. */
function refusedCode(code: string, files: readonly string[]): { ruleId: string; message: string }[][] {
  const script = `
    import { ESLint } from "eslint";
    import tseslint from "typescript-eslint";
    const eslint = new ESLint({
      overrideConfigFile: ".ci/eslint.config.js",
      overrideConfig: [tseslint.configs.disableTypeChecked],
    });
    const said = [];
    for (const filePath of ${JSON.stringify(files)}) {
      const [{ messages }] = await eslint.lintText(${JSON.stringify(code)}, { filePath });
      said.push(messages.map(({ ruleId, message }) => ({ ruleId, message })));
    }
    console.log(JSON.stringify(said));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as { ruleId: string; message: string }[][];
}

test("lint refuses a page that imports the worker, a domain file that imports a page, and cycles, and says where the code belongs", async () => {
  const said = await refusedImports({
    "src/web/kit/a-page.ts": `import { turn } from "#worker/drain/turn.js";\nexport const page = () => turn;\n`,
    "src/worker/drain/turn.ts": `import type { Chicken } from "#domain/history/chicken.js";\nexport const turn = (egg: Chicken) => egg;\n`,
    "src/domain/policy/rule.ts": `import { page } from "#web/kit/a-page.js";\nexport const rule = () => page;\n`,
    "src/domain/history/chicken.ts": `import { egg } from "./egg.js";\nexport type Chicken = typeof egg;\n`,
    "src/domain/history/egg.ts": `import type { Chicken } from "./chicken.js";\nexport const egg = (from: Chicken) => from;\n`,
    "src/web/kit/uses-tab.ts": `export { tab } from "#web/tab/tab.js";\n`,
    "src/web/tab/tab.ts": `export { words } from "#web/kit/words.js";\nexport const tab = 1;\n`,
    "src/web/kit/words.ts": `export const words = 1;\n`,
  });
  for (const [broken, reason] of [
    [
      "error web-is-a-wing: src/web/kit/a-page.ts → src/worker/drain/turn.ts",
      "What the worker does reaches it as an argument, wired in compose/.",
    ],
    [
      "error domain-knows-no-wing: src/domain/policy/rule.ts → src/web/kit/a-page.ts",
      "The words of a page belong to web/.",
    ],
    [
      "error no-cycle-of-files: src/domain/history/chicken.ts → src/domain/history/egg.ts → src/domain/history/chicken.ts",
      "Two files that need each other are one, or need a third that holds what both use.",
    ],
    [
      "error no-cycle-of-folders: src/web/kit → src/web/tab → src/web/kit",
      "Two folders that need each other are one, or need a third that holds what both use.",
    ],
  ] as const) {
    expect(said).toContain(broken);
    expect(said).toContain(reason);
  }
  // What goes the right way is not among them.
  expect(said).not.toContain("src/worker/drain/turn.ts → src/domain/history/chicken.ts");
});

test("lint refuses a write verb of the domain without an audit entry, and a page that writes", () => {
  const write = `
    import type { Pool } from "pg";
    import { requireRight, type Actor } from "#domain/contract/actor.js";
    export async function renamePreset(pool: Pool, actor: Actor, name: string): Promise<void> {
      requireRight(actor, "savePreset");
      await pool.query("UPDATE presets SET name = $2 WHERE portal_id = $1", [actor.portalId, name]);
    }
  `;
  expect(
    refusedCode(write, ["src/domain/policy/rename-preset.ts", "src/web/settings/presets/rename-preset.ts"]),
  ).toEqual([
    [
      {
        ruleId: "house/audited-verbs",
        message: expect.stringMatching(
          /^renamePreset writes without an entry in the audit: call recordChange\(/,
        ),
      },
    ],
    [
      {
        ruleId: "house/no-write-sql",
        message: expect.stringMatching(
          /^A page writes nothing by itself: .* Move it to a verb in its room of domain\//,
        ),
      },
    ],
  ]);
});
