import prettier from "eslint-config-prettier";
import regexp from "eslint-plugin-regexp";
import tseslint from "typescript-eslint";
import house from "./audited-verbs.js";

/** Lint rules for the whole tree: type-aware checks, size limits; who may import whom is in dependency-rules.cjs. */
export default tseslint.config(
  {
    ignores: [
      "dist/**",
      "node_modules/**",
      "prisma/**",
      "src/platform/db/generated/**",
      ".data/**",
      "app-config/**/*.json",
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ["./test/tsconfig.json"],
        tsconfigRootDir: new URL("..", import.meta.url).pathname,
      },
    },
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 3],
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "Only config.ts reads the environment; take a Config value instead.",
        },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    // A pattern that needs the square of a text's length lets a stranger's request stop the process.
    files: ["src/**"],
    plugins: { regexp },
    rules: {
      "regexp/no-super-linear-backtracking": ["error", { report: "potential" }],
      "regexp/no-super-linear-move": ["error", { report: "potential", ignorePartial: false }],
    },
  },
  {
    // Who may change what, and that it is noted, is held in one place for the site, the tab, the API and the commands.
    files: ["src/domain/{policy,accounts,alerts,history,keys}/**"],
    // What the app does by itself: it sends alerts and confirmations, seals again, works jobs off, deletes what is old.
    ignores: [
      "src/domain/alerts/{outbox/*,confirmation-mails,webhook-seals}.ts",
      "src/domain/history/{bulk-steps,erase,prune}.ts",
      "src/domain/keys/recognize-key.ts",
    ],
    plugins: { house },
    rules: { "house/audited-verbs": "error" },
  },
  { files: ["src/web/**"], plugins: { house }, rules: { "house/no-write-sql": "error" } },
  {
    files: ["src/web/**"],
    // What was answered to an Idempotency-Key is the frame's own bookkeeping: no rule of an account.
    ignores: ["src/web/api/kit/**"],
    plugins: { house },
    rules: { "house/no-read-sql": "error" },
  },
  {
    // HubSpot bundles this folder by itself and runs it in a worker.
    files: ["app-config/src/app/settings/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: [
                "*",
                "!react",
                "!@hubspot",
                "@hubspot/*",
                "!@hubspot/ui-extensions",
                "!./",
                "!./*.ts",
                "!./*.tsx",
              ],
              message: "The settings tab may import React, @hubspot/ui-extensions and its own files.",
            },
          ],
        },
      ],
      "no-restricted-globals": [
        "error",
        ...["window", "document", "self", "fetch", "localStorage"].map((name) => ({
          name,
          message: "HubSpot's worker has no page: take what you need as an argument.",
        })),
      ],
    },
  },
  {
    files: ["src/config.ts", "src/main.ts", "src/cli/main.ts", "src/bin/**", "test/**", "bench/**"],
    rules: { "no-restricted-properties": "off", "no-console": "off" },
  },
  { files: ["test/**"], rules: { "max-lines": ["error", 400] } },
  { files: ["bench/**"], rules: { "max-lines": "off" } },
  {
    files: ["test/**", "bench/**"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  { files: ["**/*.js", "**/*.mjs", "**/*.cjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["**/*.js", "**/*.mjs", "**/*.cjs"],
    rules: { "no-console": "off", "no-restricted-properties": "off" },
  },
  // Jest loads these with require() alone.
  { files: ["test/shared-modules/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  prettier,
);
