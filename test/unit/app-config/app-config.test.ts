import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { FEATURE_SCOPES, OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import {
  profileVariables,
  PROJECT,
  readComponents,
  readJson,
  type Texts,
} from "../../support/hubspot-project.js";

interface AppConfig {
  readonly auth: Readonly<
    Record<"redirectUrls" | "requiredScopes" | "optionalScopes" | "conditionallyRequiredScopes", string[]>
  >;
  readonly permittedUrls: Readonly<Record<"fetch" | "iframe" | "img", string[]>>;
}

interface Subscription {
  readonly subscriptionType: string;
  readonly objectType?: string;
  readonly propertyName?: string;
  readonly active: boolean;
}

interface WebhooksConfig {
  readonly settings: { targetUrl: string; maxConcurrentRequests: number };
  readonly subscriptions: Readonly<
    Record<"crmObjects" | "legacyCrmObjects" | "hubEvents", readonly Subscription[]>
  >;
}

const components = readComponents();
const app = components.get("app/app-hsmeta.json")?.config as AppConfig;
const webhooks = components.get("app/webhooks/webhooks-hsmeta.json")?.config as WebhooksConfig;

describe("the HubSpot project", () => {
  test("is a project of platform 2026.09: an app, four actions, webhooks and a settings tab", () => {
    expect(readJson(PROJECT, "hsproject.json")).toMatchObject({ srcDir: "src", platformVersion: "2026.09" });
    expect([...components].map(([file, { type }]) => [file, type]).sort()).toEqual([
      ["app/app-hsmeta.json", "app"],
      ["app/settings/settings-hsmeta.json", "settings"],
      ["app/webhooks/webhooks-hsmeta.json", "webhooks"],
      ["app/workflow-actions/check-enrollment-hsmeta.json", "workflow-action"],
      ["app/workflow-actions/enroll-hsmeta.json", "workflow-action"],
      ["app/workflow-actions/unenroll-hsmeta.json", "workflow-action"],
      ["app/workflow-actions/wait-for-sequence-end-hsmeta.json", "workflow-action"],
    ]);
  });

  test("uses only the top-level keys and the uids that HubSpot's parser takes", () => {
    const uids = [...components.values()].map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const uid of uids) expect(uid).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
    for (const component of components.values()) {
      expect(["uid", "type", "config", "dependencies", "permissions"]).toEqual(
        expect.arrayContaining(Object.keys(component)),
      );
    }
  });

  test("asks for the scopes the code uses", () => {
    expect(app.auth.requiredScopes).toEqual([...REQUIRED_SCOPES]);
    expect(app.auth.optionalScopes).toEqual([...OPTIONAL_SCOPES, ...Object.values(FEATURE_SCOPES).flat()]);
    expect(app.auth.conditionallyRequiredScopes).toEqual([]);
  });

  test("is listed on the marketplace, which allows nothing but OAuth", () => {
    expect(app).toMatchObject({ distribution: "marketplace", auth: { type: "oauth" } });
  });

  test("sends browsers back below PUBLIC_URL", () => {
    expect(app.auth.redirectUrls).toEqual(["${PUBLIC_URL}/oauth/callback"]);
  });

  test("holds no address of its own: each comes from a profile", () => {
    expect(JSON.stringify([...components.values()])).not.toMatch(/https?:\/\//);
  });
});

describe("the webhooks", () => {
  test("tell of the contact's sequence, and of contacts that are merged or erased", () => {
    const { crmObjects, legacyCrmObjects, hubEvents } = webhooks.subscriptions;
    expect(crmObjects).toEqual([
      {
        subscriptionType: "object.propertyChange",
        objectType: "contact",
        active: true,
        propertyName: "hs_sequences_is_enrolled",
      },
    ]);
    expect(legacyCrmObjects).toEqual([
      { subscriptionType: "contact.deletion", active: true },
      { subscriptionType: "contact.merge", active: true },
    ]);
    expect(hubEvents).toEqual([{ subscriptionType: "contact.privacyDeletion", active: true }]);
  });

  test("are sent to the route of the design", () => {
    expect(webhooks.settings.targetUrl).toBe("${PUBLIC_URL}/hubspot/webhooks");
    expect(webhooks.settings.maxConcurrentRequests).toBeGreaterThan(0);
  });
});

describe("the settings tab", () => {
  const folder = path.join(PROJECT, "src/app/settings");

  test("begins at a file that is there", () => {
    const { entrypoint } = components.get("app/settings/settings-hsmeta.json")?.config as {
      entrypoint: string;
    };
    expect(existsSync(path.join(PROJECT, "src", entrypoint))).toBe(true);
  });

  test("may fetch from our side alone", () => {
    expect(app.permittedUrls).toEqual({ fetch: ["${PUBLIC_URL}"], iframe: [], img: [] });
  });

  test("is built by HubSpot from the versions it is tested with here", () => {
    const ours = readJson<{ devDependencies: Texts }>("package.json").devDependencies;
    const { dependencies } = readJson<{ dependencies: Texts }>(folder, "package.json");
    expect(Object.keys(dependencies)).toEqual(["@hubspot/ui-extensions", "react"]);
    for (const [name, version] of Object.entries(dependencies)) expect(ours[name]).toBe(version);
  });
});

describe("profiles", () => {
  const needed = profileVariables([...components.values()]);
  const written = readdirSync(path.join(PROJECT, "src")).filter((file) =>
    /^hsprofile\.[^.]+\.json$/.test(file),
  );
  const files = ["hsprofile.example.json", ...written.map((file) => path.join("src", file))];

  test.each(files)("%s gives every variable that the project uses, and no other", (file) => {
    const { variables } = readJson<{ variables: Texts }>(PROJECT, file);
    expect(Object.keys(variables).sort()).toEqual(needed);
    for (const value of Object.values(variables)) expect(typeof value).toBe("string");
  });

  test.each(files)("%s has a PUBLIC_URL that routes can be appended to", (file) => {
    const { PUBLIC_URL = "" } = readJson<{ variables: Texts }>(PROJECT, file).variables;
    expect(new URL(PUBLIC_URL).protocol).toBe("https:");
    expect(PUBLIC_URL).toBe(PUBLIC_URL.replace(/\/+$/, ""));
  });

  test("the example stands outside src/, where HubSpot's CLI would take it for a real one", () => {
    expect(existsSync(path.join(PROJECT, "src", "hsprofile.example.json"))).toBe(false);
  });
});
